"""Call the rows of the queue what staff call them; nothing in the tables of messages changes."""

from typing import Any

from django.db import migrations

VERBS = ("retry", "cancel", "reschedule")


def rename_permissions(apps: Any, schema_editor: Any) -> None:
    """Give the permissions that are there already their new words: Django renames none."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for verb in VERBS:
        named = permissions.filter(
            codename=f"{verb}_notification", content_type__app_label="notifications"
        )
        named.update(name=f"Can {verb} queued messages")


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0007_failures_by_cause"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="notification",
            options={
                "default_permissions": ("view",),
                "permissions": [
                    (f"{verb}_notification", f"Can {verb} queued messages") for verb in VERBS
                ],
                "verbose_name": "queued message",
            },
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
