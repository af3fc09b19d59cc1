"""Find the messages of one person among a million, in the admin and in a customer's timeline."""

import django.db.models.fields.json
import django.db.models.functions.text
from django.db import migrations, models

from egac.adoption import MARK

NAME = "queue_by_recipient"
# An earlier try that was broken off leaves an index that nobody uses: it is built anew.
FORWARDS = (
    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
    f"CREATE INDEX CONCURRENTLY {NAME} ON notifications_queue (upper(payload ->> 'to'))",
    f"COMMENT ON INDEX {NAME} IS '{MARK}'",
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0002_complete")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(FORWARDS, f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="notification",
                    index=models.Index(
                        django.db.models.functions.text.Upper(
                            django.db.models.fields.json.KeyTextTransform("to", "payload")
                        ),
                        name=NAME,
                    ),
                )
            ],
        )
    ]
