"""What of the queue is history, and may go by age."""

from datetime import datetime

from django.db.models import QuerySet

from jobs.history import Kind
from notifications.models import EmailBatch, Notification, Worker


def messages_before(instant: datetime) -> QuerySet[Notification]:
    """Messages that were sent or cancelled; a failed one waits for a person."""
    status = Notification.Status
    return Notification.objects.filter(
        status__in=[status.COMPLETED, status.CANCELLED], updated_at__lt=instant
    )


def batches_before(instant: datetime) -> QuerySet[EmailBatch]:
    """Batches that have ended, once their messages are gone."""
    status = EmailBatch.Status
    ended = EmailBatch.objects.exclude(status__in=[status.PENDING, status.PROCESSING])
    return ended.filter(updated_at__lt=instant, notifications=None)


def workers_before(instant: datetime) -> QuerySet[Worker]:
    """Workers that gave no sign of life since."""
    return Worker.objects.filter(seen_at__lt=instant)


KINDS = (
    Kind("messages", "KEEP_MESSAGES_DAYS", messages_before),
    Kind("batches", "KEEP_MESSAGES_DAYS", batches_before),
    Kind("workers", "KEEP_WORKERS_DAYS", workers_before),
)
