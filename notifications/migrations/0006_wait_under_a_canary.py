"""When a message failed, and a mark on failed ones that wait under the canary of a retry.

A batch, as outgoing, has both too.
"""

from django.db import migrations, models

from egac.migrations._columns import added, dropped

TABLES = {"notification": "notifications_queue", "emailbatch": "email_batches"}
FIELDS: dict[str, models.Field] = {
    "failed_at": models.DateTimeField(blank=True, null=True),
    "canary": models.BigIntegerField(blank=True, null=True),
}
TYPES = {"failed_at": "timestamp with time zone", "canary": "bigint"}


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_count_finished")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(added(table, name, type), dropped(table, name))
                for table in TABLES.values()
                for name, type in TYPES.items()
            ],
            state_operations=[
                migrations.AddField(model_name=model, name=name, field=field)
                for model in TABLES
                for name, field in FIELDS.items()
            ],
        ),
    ]
