"""When an invite failed, and a mark on failed ones that wait under the canary of a retry."""

from django.db import migrations, models

from egac.migrations._columns import added, dropped

FIELDS: dict[str, models.Field] = {
    "failed_at": models.DateTimeField(blank=True, null=True),
    "canary": models.BigIntegerField(blank=True, null=True),
}
TYPES = {"failed_at": "timestamp with time zone", "canary": "bigint"}


class Migration(migrations.Migration):
    dependencies = [("invites", "0022_count_finished")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(added("invites", name, type), dropped("invites", name))
                for name, type in TYPES.items()
            ],
            state_operations=[
                migrations.AddField(model_name="invite", name=name, field=field)
                for name, field in FIELDS.items()
            ],
        ),
    ]
