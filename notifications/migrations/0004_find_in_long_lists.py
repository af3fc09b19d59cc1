"""List, filter and search a million messages by indexes; other programs' rows are in them too."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from egac.indexing import BuildIndexes
from egac.search import Words

IS_WHATSAPP = Q(payload__contains={"channel": "whatsapp"})
CONTEXT = KeyTransform("context", "payload")
WORDS = Words(KeyTextTransform("name", CONTEXT), KeyTextTransform("invoice_number", CONTEXT))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0003_find_by_recipient")]
    operations = [
        BuildIndexes(
            "Notification",
            GinIndex(WORDS, name="queue_by_words"),
            models.Index(
                fields=["status", "id"],
                name="queue_by_status",
                condition=Q(status__in=["failed", "cancelled"]),
            ),
            models.Index(fields=["type", "id"], name="queue_by_type"),
            models.Index(
                fields=["reason", "id"],
                name="queue_by_reason",
                condition=Q(reason__isnull=False),
            ),
            models.Index(
                fields=["id"], name="queue_with_error", condition=Q(last_error__isnull=False)
            ),
            models.Index(fields=["id"], name="queue_for_whatsapp", condition=IS_WHATSAPP),
        )
    ]
