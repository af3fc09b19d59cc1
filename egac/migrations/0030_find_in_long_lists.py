"""Find attempts, suppressed addresses and what staff did with a row, however many there are."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from egac.indexing import MARK, BuildIndexes
from egac.search import Words

# Of Django's own table: the history of a row asks by these two.
NAME = "staff_actions_on_a_row"
HISTORY = (
    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
    f"CREATE INDEX CONCURRENTLY {NAME} ON django_admin_log (content_type_id, object_id)",
    f"COMMENT ON INDEX {NAME} IS '{MARK}'",
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("egac", "0006_told_rate"), ("admin", "0003_logentry_add_action_flag_choices")]
    operations = [
        BuildIndexes(
            "MessageAudit",
            GinIndex(Words("recipient"), name="message_audit_by_words"),
            models.Index(fields=["outcome", "at"], name="message_audit_by_outcome"),
            models.Index(fields=["channel", "at"], name="message_audit_by_channel"),
            models.Index(
                fields=["provider_message_id"],
                name="message_audit_of_a_message",
                condition=~models.Q(provider_message_id=""),
            ),
        ),
        BuildIndexes(
            "Suppression",
            GinIndex(Words("address", "reason"), name="suppressions_by_words"),
            models.Index(fields=["-created_at"], name="suppressions_by_time"),
        ),
        migrations.RunSQL(HISTORY, f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}"),
    ]
