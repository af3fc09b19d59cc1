"""List, filter and find attempts and suppressed addresses, however many there are."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models
from django.db.models.functions import Lower

from egac.indexing import BuildIndexes


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("egac", "0020_people_and_roles")]
    operations = [
        BuildIndexes(
            "MessageAudit",
            models.Index(Lower("recipient"), name="message_audit_by_recipient"),
            models.Index(
                fields=["outcome", "at"],
                name="message_audit_by_outcome",
                condition=~models.Q(outcome="accepted"),
            ),
            BrinIndex(
                fields=["channel"],
                opclasses=["text_bloom_ops"],
                autosummarize=True,
                name="message_audit_by_channel",
            ),
            models.Index(
                fields=["provider_message_id"],
                name="message_audit_of_a_message",
                condition=~models.Q(provider_message_id=""),
            ),
        ),
        BuildIndexes(
            "Suppression", models.Index(fields=["-created_at"], name="suppressions_by_time")
        ),
    ]
