"""A mark on failed rows that wait under the canary of a retry; a batch, as outgoing, has it too."""

from django.db import migrations, models

from egac.adoption import LOCK_TIMEOUT, MARK

MODELS = {"notification": "notifications_queue", "emailbatch": "email_batches"}
FORWARDS = (
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'",
    "ALTER TABLE email_batches ADD COLUMN IF NOT EXISTS canary bigint",
    "ALTER TABLE notifications_queue ADD COLUMN IF NOT EXISTS canary bigint",
    f"COMMENT ON COLUMN notifications_queue.canary IS '{MARK}'",
)
BACKWARDS = tuple(f"ALTER TABLE {table} DROP COLUMN IF EXISTS canary" for table in MODELS.values())


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_find_by_recipient")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARDS, BACKWARDS)],
            state_operations=[
                migrations.AddField(
                    model_name=model,
                    name="canary",
                    field=models.BigIntegerField(blank=True, null=True),
                )
                for model in MODELS
            ],
        ),
    ]
