"""The pages of people and of roles; what staff did with a row is found by an index."""

from django.db import migrations, models

NAME = "staff_actions_on_a_row"
FORWARDS = (
    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
    f"CREATE INDEX CONCURRENTLY {NAME} ON django_admin_log (content_type_id, object_id)",
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("egac", "0006_told_rate"), ("admin", "0003_logentry_add_action_flag_choices")]
    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("name", models.TextField()),
            ],
            options={
                "verbose_name_plural": "people",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[("name", models.TextField(primary_key=True, serialize=False))],
            options={"managed": False, "default_permissions": ("view",)},
        ),
        migrations.RunSQL(FORWARDS, f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}"),
    ]
