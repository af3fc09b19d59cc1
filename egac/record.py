"""How a claim ends: the row, its audit line and its next time, in one transaction."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from egac.delivery import AuditLine, MessageAudit, add_lines
from egac.logs import about
from egac.outbox import Outgoing, OutgoingQuerySet
from egac.providers import ProviderError, Sender
from egac.retry import Reason

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """How one call ended. `called` is False where lease or slot was over before it began,
    or the provider wants no call for now.
    """

    row: Any
    answer: Any = ""  # the provider's id; of a batch, one answer for each of its messages
    error: ProviderError | None = None
    seconds: float | None = None
    called: bool = True
    told_rate: float | None = None  # calls a second that the provider says it takes

    @property
    def closes_the_channel(self) -> bool:
        """Whether the provider wants no other call for now, which one such answer tells."""
        return self.error is not None and self.error.cause.closes_the_channel


@dataclass(frozen=True)
class Record:
    """What becomes of one claimed row."""

    row: Any
    status: str
    counts: bool = False
    in_doubt: bool = False
    delay: timedelta | None = None
    reason: Reason | None = None
    error: ProviderError | None = None
    answer: Any = None
    repeats: int = 0
    orphaned: bool = False
    audit: AuditLine | None = None

    @property
    def is_sent(self) -> bool:
        return bool(self.status == self.row.DONE)

    @property
    def provider_message_id(self) -> str | None:
        return self.answer if isinstance(self.answer, str) else None


CHANGES = """
  {status} = CASE WHEN outgoing.{status} = '{processing}' THEN new.status
    ELSE outgoing.{status} END,
  {attempts} = outgoing.{attempts} + new.counts::int,
  repeats = new.repeats,
  in_doubt_since = CASE WHEN new.in_doubt
    THEN coalesce(outgoing.in_doubt_since, outgoing.call_started_at, now()) END,
  {due_at} = coalesce(now() + new.delay * interval '1 second', outgoing.{due_at}),
  {last_error} = CASE WHEN new.status <> '{done}'
    THEN coalesce(new.last_error, outgoing.{last_error}) END,
  reason = new.reason,
  failed_at = CASE WHEN new.status = '{failed}' THEN now() END,
  provider_message_id = coalesce(new.provider_message_id, outgoing.provider_message_id),
  sent_at = CASE WHEN new.status = '{done}' THEN now() ELSE outgoing.sent_at END,
  orphaned = new.orphaned,
  lease_number = outgoing.lease_number + 1,
  lease_owner = NULL, lease_ends_at = NULL, call_started_at = NULL, updated_at = now()
"""


def write_audit(records: Sequence[Record]) -> None:
    """Write the audit line of each record that has one."""
    add_lines([each.audit for each in records if each.audit])


def record(
    rows: OutgoingQuerySet,
    records: Sequence[Record],
    *,
    also: Callable[[Sequence[Record]], object] = write_audit,
) -> list[Record]:
    """Write how claims ended and return the records that were still ours to write.

    One whose lease went to another sender changes nothing and is logged. A status that another
    program wrote meanwhile (an invite accepted while it was being sent) stays. `also` is done in
    the same transaction.
    """
    if not records:
        return []
    with transaction.atomic():
        ours = rows.update_each([_values(each) for each in records], _changes(rows.model))
        written = [record for record in records if record.row.pk in ours]
        also(written)
    tell_of_lost(each.row for each in records if each.row.pk not in ours)
    return written


def tell_of_lost(rows: Iterable[Any]) -> None:
    """Log each row whose lease went to another sender while this one had it in hand."""
    for row in rows:
        table = row._meta.db_table
        logger.warning(
            "%s %s: its lease was lost, nothing was recorded", table, row.pk, extra=about(row)
        )


def given_back(row: Any) -> Record:
    """Return the record of a row that was claimed and not called: as it was, at no cost."""
    return Record(
        row,
        row.Status.PENDING,
        in_doubt=row.in_doubt_since is not None,
        repeats=row.repeats,
        orphaned=row.orphaned,
    )


def _changes(model: type[Outgoing]) -> str:
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    status = model.Status
    return CHANGES.format(
        **columns, processing=status.PROCESSING, failed=status.FAILED, done=model.DONE
    )


def _values(record: Record) -> dict[str, Any]:
    return {
        "id": record.row.pk,
        "lease_number": record.row.lease_number,
        "status": record.status,
        "counts": record.counts,
        "in_doubt": record.in_doubt,
        "repeats": record.repeats,
        "delay": None if record.delay is None else record.delay.total_seconds(),
        "reason": record.reason,
        "last_error": record.row.error_value(record.error),
        "provider_message_id": record.provider_message_id,
        "orphaned": record.orphaned,
    }


def audit_of(
    ended: Ended, sender: Sender, *, counts: bool, outcome: MessageAudit.Outcome
) -> AuditLine:
    """Return the audit line of one call, or of a sender that died before it."""
    row, error = ended.row, ended.error
    return AuditLine(
        source=row._meta.db_table,
        source_id=str(row.pk),
        generation=row.generation,
        attempt=row.attempts + counts,
        counted=counts,
        channel=sender.channel,
        recipient=row.recipient,
        provider=sender.provider,
        provider_message_id=ended.answer if isinstance(ended.answer, str) else "",
        outcome=outcome,
        error_code=error.code if error else "",
        error_message=str(error) if error else "",
        duration_ms=None if ended.seconds is None else round(ended.seconds * 1000),
        note=row.audit_note,
    )
