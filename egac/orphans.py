"""Rows whose sender died, or that another program left in processing: settled first thing."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from egac.delivery import MessageAudit
from egac.outbox import OutgoingQuerySet
from egac.providers import Cause, ProviderError, Sender
from egac.record import Ended, Record, audit_of, given_back, record, write_audit
from egac.retry import Reason, wait

AT_ONCE = 500  # rows settled in one transaction
AT_ONCE_AGAIN = timedelta()


def settle_orphans(
    rows: OutgoingQuerySet,
    sender: Sender,
    *,
    lease: timedelta,
    also: Callable[[Sequence[Record]], object] = write_audit,
) -> int:
    """Give every orphan its next state and return how many there were.

    A call that had started is in doubt and repeated under the same key; a call that had not is
    due again, and counts, so that a row which kills its process comes to an end.
    """
    settled = 0
    while True:
        with transaction.atomic():
            orphans = list(rows.orphans(lease).select_for_update(skip_locked=True)[:AT_ONCE])
            settled += len(record(rows, [_settled(row, sender) for row in orphans], also=also))
        if len(orphans) < AT_ONCE:
            return settled


def give_back_lost(rows: OutgoingQuerySet, *, owner: str, held: Sequence[Any]) -> int:
    """Give back, at no cost, what the database says `owner` claimed and it does not hold.

    Returns how many there were.
    """
    known = {(row.pk, row.lease_number) for row in held}
    claimed = rows.filter(status=rows.model.Status.PROCESSING, lease_owner=owner)
    lost = [row for row in claimed if (row.pk, row.lease_number) not in known]
    return len(record(rows, [given_back(row) for row in lost]))


def _settled(row: Any, sender: Sender) -> Record:
    if row.lease_ends_at is None:
        return _left_by_another_program(row, sender)
    if row.call_started_at:
        return _in_doubt(row, sender)
    return _never_called(row, sender)


def _left_by_another_program(row: Any, sender: Sender) -> Record:
    """Nothing of ours was ever sent; what the other program sent, no key of ours protects."""
    if sender.key_protects:
        return Record(row, row.Status.PENDING, delay=AT_ONCE_AGAIN)
    error = ProviderError(
        "Another program began to send it and did not say how that ended. Ask the recipient or the "
        "provider whether it arrived before you retry it.",
        cause=Cause.UNKNOWN,
    )
    return Record(row, row.Status.FAILED, in_doubt=True, reason=Reason.UNCERTAIN, error=error)


def _in_doubt(row: Any, sender: Sender) -> Record:
    counts = row.in_doubt_since is None
    error = ProviderError(
        "The sender died during the call; perhaps it was accepted.", cause=Cause.UNKNOWN
    )
    ended = Ended(row, error=error)
    audit = audit_of(ended, sender, counts=counts, outcome=MessageAudit.Outcome.UNKNOWN)
    if not sender.key_protects:
        return Record(
            row,
            row.Status.FAILED,
            counts=counts,
            in_doubt=True,
            reason=Reason.UNCERTAIN,
            error=error,
            audit=audit,
        )
    return Record(
        row,
        row.Status.PENDING,
        counts=counts,
        in_doubt=True,
        # One that dies each time must not do so in every pass.
        delay=AT_ONCE_AGAIN if counts else wait(row.repeats + 1, jitter=0),
        error=error,
        repeats=row.repeats if counts else row.repeats + 1,
        orphaned=True,
        audit=audit,
    )


def _never_called(row: Any, sender: Sender) -> Record:
    in_doubt = row.in_doubt_since is not None
    counts = not in_doubt
    error = ProviderError("The sender died before the call.", code="sender_died")
    ended = Ended(row, error=error)
    exhausted = counts and row.attempts + 1 >= row.attempt_limit()
    return Record(
        row,
        row.Status.FAILED if exhausted else row.Status.PENDING,
        counts=counts,
        in_doubt=in_doubt,
        delay=None if exhausted else AT_ONCE_AGAIN,
        reason=Reason.EXHAUSTED if exhausted else None,
        error=error,
        repeats=row.repeats,
        orphaned=True,
        audit=audit_of(ended, sender, counts=counts, outcome=MessageAudit.Outcome.DIED),
    )
