"""E-mails in batches: a hundred in one call, under one key, stored before it and sent as stored.

A batch is an outgoing row of its own, so its claims, leases, doubt and repeats are those of every
other. Its notifications are frozen in `processing` until the batch is recorded; `settle` ends them
in that same transaction.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import transaction

from egac.delivery import AuditLine, MessageAudit
from egac.outbox import OutgoingQuerySet, text_of
from egac.prepare import prepare, withheld
from egac.providers import ProviderError
from egac.providers.resend import BATCH, LARGEST_BATCH
from egac.record import Ended, Record, audit_of, record
from egac.retry import Reason
from notifications.models import EmailBatch, Notification

Outcome = MessageAudit.Outcome
Status = Notification.Status


def form_batches(
    fresh: OutgoingQuerySet,
    *,
    owner: str,
    lease: timedelta,
    limit: int,
    on_records: Callable[[Sequence[Record]], object],
) -> int:
    """Put up to `limit` due e-mails that were never called into batches; return how many it took.

    `on_records` hears of those that ended before any call: invalid, irrelevant, suppressed.
    """
    taken = 0
    while taken < limit:
        count = min(LARGEST_BATCH, limit - taken)
        claimed = fresh.claim(count, owner=owner, lease=lease)
        ready, settled = prepare(claimed, BATCH)
        frozen = _freeze(ready) if ready else set()
        settled += withheld([row for row in ready if row.pk not in frozen])
        on_records(record(Notification.objects.all(), settled))
        taken += len(frozen)  # what ends without a call uses up no limit
        if len(claimed) < count:
            break
    return taken


def _freeze(rows: Sequence[Notification]) -> set[int]:
    """Store the rows' messages as one batch that waits for its call; return the keys in it."""
    with transaction.atomic():
        batch = EmailBatch.objects.create(row_ids=[])
        frozen = Notification.objects.freeze(rows, batch=batch)
        if not frozen:
            batch.delete()
            return frozen
        kept = [row for row in rows if row.pk in frozen]
        batch.row_ids = [row.pk for row in kept]
        batch.rendered = text_of([json.loads(row.rendered or "") for row in kept])
        batch.save(update_fields=["row_ids", "rendered"])
    return frozen


def settle(batches: Sequence[Record]) -> list[Record]:
    """End, count or release the notifications of recorded batches; part of that transaction."""
    by_batch = {each.row.pk: each for each in batches}
    rows = Notification.objects.filter(batch__in=by_batch, status=Status.PROCESSING)
    records = [_record_of(row, by_batch[row.batch_id]) for row in rows.defer("rendered")]
    dissolved = [each.row.pk for each in batches if _dissolves(each)]
    EmailBatch.objects.filter(pk__in=dissolved).update(status=EmailBatch.Status.CANCELLED)
    return record(Notification.objects.all(), records)


def dissolve_uncalled() -> None:
    """Let the rows of batches go that were never called: until they are, staff may change them."""
    uncalled = EmailBatch.objects.filter(
        status=EmailBatch.Status.PENDING, attempts=0, in_doubt_since=None
    )
    with transaction.atomic():
        batches = uncalled.defer("rendered").select_for_update(skip_locked=True)
        records = [Record(batch, EmailBatch.Status.CANCELLED) for batch in batches]
        record(EmailBatch.objects.all(), records, also=settle)


def _dissolves(batch: Record) -> bool:
    """Whether its rows go their own ways: nothing was accepted, and nobody is in doubt of that."""
    if batch.status == EmailBatch.Status.CANCELLED:
        return True
    if batch.status == EmailBatch.Status.PENDING:
        return not (batch.counts or batch.in_doubt)
    return batch.reason is Reason.PERMANENT


def _record_of(row: Notification, batch: Record) -> Record:
    """Return what the batch's end means for one of its rows."""
    if batch.is_sent:
        return _answered(row, batch, batch.answer[batch.row.row_ids.index(row.pk)])
    status = Status.FAILED if batch.reason else Status.PROCESSING
    # What made another of them fall says nothing of this one.
    error = None if batch.status == EmailBatch.Status.CANCELLED else batch.error
    return Record(
        row,
        Status.PENDING if _dissolves(batch) else status,
        counts=batch.counts,
        in_doubt=batch.in_doubt,
        reason=None if _dissolves(batch) else batch.reason,
        error=error,
        audit=_audit(row, batch, Ended(row, error=batch.error), _outcome(batch)),
    )


def _answered(row: Notification, batch: Record, answer: str | ProviderError) -> Record:
    """Return the record of a row that the provider judged singly."""
    if isinstance(answer, ProviderError):
        return Record(
            row,
            Status.FAILED,
            counts=batch.counts,
            reason=Reason.PERMANENT,
            error=answer,
            audit=_audit(row, batch, Ended(row, error=answer), Outcome.REFUSED),
        )
    audit = _audit(row, batch, Ended(row, answer), Outcome.ACCEPTED)
    return Record(row, Status.COMPLETED, counts=batch.counts, answer=answer, audit=audit)


def _outcome(batch: Record) -> MessageAudit.Outcome:
    return Outcome(batch.audit.outcome) if batch.audit else Outcome.REFUSED


def _audit(
    row: Notification, batch: Record, ended: Ended, outcome: MessageAudit.Outcome
) -> AuditLine | None:
    """Return the row's own line for the batch's call, or None where there was no call."""
    if batch.audit is None:
        return None
    line = audit_of(ended, BATCH, counts=batch.counts, outcome=outcome)
    line.duration_ms = batch.audit.duration_ms
    return line
