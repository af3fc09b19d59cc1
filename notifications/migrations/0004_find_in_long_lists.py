"""List and filter a million messages by indexes; other programs' rows are in them too."""

from django.contrib.postgres.indexes import BrinIndex, OpClass
from django.db import migrations, models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from egac.indexing import BuildIndexes

OUR_TYPES = (
    "booking_confirmation",
    "class_notification",
    "class_host_notification",
    "class_cancelled",
    "invoice_issued",
    "payment_reminder",
    "payment_overdue",
    "access_grace",
    "access_locked",
    "access_restored",
    "payment_received",
    "staff_alert",
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0003_find_by_recipient")]
    operations = [
        BuildIndexes(
            "Notification",
            models.Index(
                fields=["status", "id"],
                name="queue_by_status",
                condition=Q(status__in=["failed", "cancelled"]),
            ),
            models.Index(
                fields=["reason", "id"],
                name="queue_by_reason",
                condition=Q(reason__isnull=False),
            ),
            models.Index(
                fields=["id"], name="queue_with_error", condition=Q(last_error__isnull=False)
            ),
            models.Index(
                fields=["id"],
                name="queue_of_other_programs",
                condition=~Q(type__in=OUR_TYPES),
            ),
            BrinIndex(
                fields=["type"],
                opclasses=["text_bloom_ops"],
                autosummarize=True,
                name="queue_by_type",
            ),
            BrinIndex(
                OpClass(KeyTextTransform("channel", "payload"), "text_bloom_ops"),
                autosummarize=True,
                name="queue_by_channel",
            ),
        )
    ]
