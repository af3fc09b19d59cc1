"""How a claim ends: the row, its audit line and its next time, in one transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from egac.delivery import MessageAudit
from egac.outbox import Outgoing, OutgoingQuerySet
from egac.providers import ProviderError, Sender
from egac.retry import Reason

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """How one call ended. `called` is False where the lease ran out before it began."""

    row: Any
    provider_message_id: str = ""
    error: ProviderError | None = None
    seconds: float | None = None
    called: bool = True


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
    provider_message_id: str | None = None
    repeats: int = 0
    orphaned: bool = False
    audit: MessageAudit | None = None

    @property
    def is_sent(self) -> bool:
        return bool(self.status == self.row.DONE)


CHANGES = """
  {status} = CASE WHEN outgoing.{status} = '{processing}' THEN new.status
    ELSE outgoing.{status} END,
  {attempts} = outgoing.{attempts} + new.counts::int,
  repeats = new.repeats,
  in_doubt_since = CASE WHEN new.in_doubt
    THEN coalesce(outgoing.in_doubt_since, outgoing.call_started_at, now()) END,
  {due_at} = coalesce(now() + new.delay, outgoing.{due_at}),
  {last_error} = CASE WHEN new.status <> '{done}'
    THEN coalesce(new.last_error, outgoing.{last_error}) END,
  reason = new.reason,
  provider_message_id = coalesce(new.provider_message_id, outgoing.provider_message_id),
  sent_at = CASE WHEN new.status = '{done}' THEN now() ELSE outgoing.sent_at END,
  orphaned = new.orphaned,
  lease_number = outgoing.lease_number + 1,
  lease_owner = NULL, lease_ends_at = NULL, call_started_at = NULL, updated_at = now()
"""


def record(rows: OutgoingQuerySet, records: Sequence[Record]) -> list[Record]:
    """Write how claims ended and return the records that were still ours to write.

    One whose lease went to another sender changes nothing and is logged. A status that another
    program wrote meanwhile (an invite accepted while it was being sent) stays.
    """
    if not records:
        return []
    with transaction.atomic():
        ours = rows._update_from(_columns(records), _changes(rows.model))
        written = [record for record in records if record.row.pk in ours]
        MessageAudit.objects.bulk_create(each.audit for each in written if each.audit)
    for lost in (record for record in records if record.row.pk not in ours):
        table = lost.row._meta.db_table
        logger.warning("%s %s: its lease was lost, nothing was recorded", table, lost.row.pk)
    return written


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
    names = ("status", "attempts", "due_at", "last_error")
    columns = {name: model._meta.get_field(name).column for name in names}
    return CHANGES.format(**columns, processing=model.Status.PROCESSING, done=model.DONE)


def _columns(records: Sequence[Record]) -> dict[str, list[Any]]:
    return {
        "id": [each.row.pk for each in records],
        "lease_number": [each.row.lease_number for each in records],
        "status": [str(each.status) for each in records],
        "counts": [each.counts for each in records],
        "in_doubt": [each.in_doubt for each in records],
        "repeats": [each.repeats for each in records],
        "delay": [each.delay for each in records],
        "reason": [each.reason and str(each.reason) for each in records],
        "last_error": [_stored_error(each) for each in records],
        "provider_message_id": [each.provider_message_id for each in records],
        "orphaned": [each.orphaned for each in records],
    }


def _stored_error(record: Record) -> Any:
    column = record.row._meta.get_field("last_error")
    return column.get_db_prep_save(record.row.error_value(record.error), connection)


def audit_of(
    ended: Ended, sender: Sender, *, counts: bool, outcome: MessageAudit.Outcome
) -> MessageAudit:
    """Return the audit line of one call, or of a sender that died before it."""
    row, error = ended.row, ended.error
    return MessageAudit(
        source=row._meta.db_table,
        source_id=str(row.pk),
        generation=row.generation,
        attempt=row.attempts + counts,
        counted=counts,
        channel=sender.channel,
        recipient=row.recipient,
        provider=sender.provider,
        provider_message_id=ended.provider_message_id,
        outcome=outcome,
        error_code=error.code if error else "",
        error_message=str(error) if error else "",
        duration_ms=None if ended.seconds is None else round(ended.seconds * 1000),
    )
