"""A mark on failed rows that wait under the canary of a retry."""

from django.db import migrations, models

from egac.adoption import LOCK_TIMEOUT, MARK

FORWARDS = (
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'",
    "ALTER TABLE invites ADD COLUMN IF NOT EXISTS canary bigint",
    f"COMMENT ON COLUMN invites.canary IS '{MARK}'",
)
BACKWARDS = "ALTER TABLE invites DROP COLUMN IF EXISTS canary"


class Migration(migrations.Migration):
    dependencies = [("invites", "0020_find_people")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARDS, BACKWARDS)],
            state_operations=[
                migrations.AddField(
                    model_name="invite",
                    name="canary",
                    field=models.BigIntegerField(blank=True, null=True),
                )
            ],
        ),
    ]
