"""What happens to a claimed row before its call, and what its answer means after it."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import prefetch_related_objects

from egac.delivery import MessageAudit, first_refused_at, not_written_to, suppressed_among
from egac.logs import about
from egac.outbox import Irrelevant, Unsendable, text_of
from egac.providers import Cause, ProviderError, Sender
from egac.record import Ended, Record, audit_of, given_back
from egac.retry import LONGEST_LIMIT, Reason, State, Verdict, judge

logger = logging.getLogger(__name__)

NO_TIME = timedelta()
PERHAPS_ACCEPTED = "The provider may have accepted it; look there first."


def prepare(rows: Sequence[Any], sender: Sender) -> tuple[list[Any], list[Record]]:
    """Render the rows; return those to call, and the records of those that end here."""
    if not rows:
        return [], []
    prefetch_related_objects(rows, *rows[0].PREFETCH)
    rows[0].look_up(rows)
    ready, settled = [], []
    for row in rows:
        ended = _ended_before_the_call(row, sender)
        settled.append(ended) if ended else ready.append(row)
    return ready, settled


def _ended_before_the_call(row: Any, sender: Sender) -> Record | None:
    try:
        row.check_relevance()
        row.rendered = text_of(row.message())
    except Irrelevant as error:
        return _cancelled(row, error.reason, str(error))
    except Unsendable as error:
        return _failed(row, Reason.INVALID, str(error))
    except Exception as error:
        # The drain loop's exception: a row that breaks its handler harms nobody behind it.
        table = row._meta.db_table
        logger.exception(
            "%s %s broke while its message was rendered", table, row.pk, extra=about(row)
        )
        broken = ProviderError(f"Rendering broke: {type(error).__name__}.", cause=Cause.MESSAGE)
        return judged(Ended(row, error=broken), sender, channel_is_down=False, jitter=1)
    if row.in_doubt_since and not _protected(row, sender):
        return _failed(row, Reason.UNCERTAIN, PERHAPS_ACCEPTED)
    return None


def withheld(rows: Sequence[Any]) -> list[Record]:
    """Return the records of those rows that began no call because of whom they are to."""
    everybody = {address for row in rows for address in row.recipients}
    suppressed = suppressed_among(everybody) if rows else {}
    records = []
    for row in rows:
        named = [address for address in row.recipients if address.lower() in suppressed]
        if named:
            why = not_written_to(named[0], suppressed[named[0].lower()])
            records.append(_cancelled(row, Reason.SUPPRESSED, why))
    return records


def _cancelled(row: Any, reason: Reason, why: str) -> Record:
    """Return the end of a row that is not to go; of one in doubt nobody knows whether it went."""
    if row.in_doubt_since:
        return _failed(row, Reason.UNCERTAIN, f"{why} {PERHAPS_ACCEPTED}")
    error = ProviderError(why, code=str(reason))
    return Record(row, row.Status.CANCELLED, reason=reason, error=error)


def _failed(row: Any, reason: Reason, why: str) -> Record:
    error = ProviderError(why, code=str(reason))
    return Record(row, row.Status.FAILED, reason=reason, error=error)


def _protected(row: Any, sender: Sender) -> bool:
    """Whether a repeat under the same key cannot arrive twice."""
    if row.in_doubt_since is None:
        return sender.key_protects > NO_TIME
    return row.claimed_at - row.in_doubt_since < sender.key_protects


def judged(ended: Ended, sender: Sender, *, channel_is_down: bool, jitter: float) -> Record:
    """Return what becomes of a row whose call ended so."""
    row, error = ended.row, ended.error
    if not ended.called:
        return given_back(row)
    was_in_doubt = row.in_doubt_since is not None
    if error is None:
        return _accepted(ended, sender, counts=not was_in_doubt)
    state = State(
        attempts=row.attempts,
        repeats=row.repeats,
        limit=row.attempt_limit(),
        in_doubt=was_in_doubt,
        protected=_protected(row, sender),
        limited_for=_limited_for(row, error),
    )
    verdict = judge(error, state, channel_is_down=channel_is_down, jitter=jitter)
    unknown = error.cause is Cause.UNKNOWN
    outcome = MessageAudit.Outcome.UNKNOWN if unknown else MessageAudit.Outcome.REFUSED
    return Record(
        row,
        row.Status.FAILED if verdict.delay is None else row.Status.PENDING,
        counts=verdict.counts,
        in_doubt=verdict.in_doubt,
        repeats=row.repeats + 1 if was_in_doubt and verdict.in_doubt else 0,
        delay=verdict.delay,
        reason=verdict.reason,
        error=_as_it_ended(error, verdict),
        audit=audit_of(ended, sender, counts=verdict.counts, outcome=outcome),
    )


def _limited_for(row: Any, error: ProviderError) -> timedelta:
    """Return for how long the provider has said that this recipient gets no more for now."""
    if error.cause is not Cause.RECIPIENT_LIMIT:
        return NO_TIME
    since = first_refused_at(row, code=error.code)
    return row.claimed_at - since if since else NO_TIME


def _as_it_ended(error: ProviderError, verdict: Verdict) -> ProviderError:
    """Return the error that a row keeps; of a limit that lasts, what staff can do about it."""
    is_limited = error.cause is Cause.RECIPIENT_LIMIT
    if not is_limited or verdict.reason is not Reason.EXHAUSTED:
        return error
    hours = LONGEST_LIMIT // timedelta(hours=1)
    return ProviderError(
        f"It was refused for {hours} hours because this person gets too many messages (code "
        f"{error.code}). Wait some days, then press Retry now.",
        code=str(Reason.EXHAUSTED),
    )


def _accepted(ended: Ended, sender: Sender, *, counts: bool) -> Record:
    return Record(
        ended.row,
        ended.row.DONE,
        counts=counts,
        answer=ended.answer,
        audit=audit_of(ended, sender, counts=counts, outcome=MessageAudit.Outcome.ACCEPTED),
    )
