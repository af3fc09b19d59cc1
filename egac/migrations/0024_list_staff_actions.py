"""The list of staff actions, and the indexes of Django's own log that keep it quick."""

from typing import Any

import django.contrib.admin.models
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from egac.indexing import build_index
from egac.search import Words

INDEXES = (
    models.Index(fields=["-action_time", "-id"], name="staff_actions_by_time"),
    models.Index(fields=["user", "-action_time", "-id"], name="staff_actions_of_one"),
    GinIndex(Words("object_repr", "change_message"), name="staff_actions_by_words"),
)


def build(apps: Any, editor: Any) -> None:
    """Build them outside the state of the migrations: the table is Django's, and so is its model"""
    for index in INDEXES:
        build_index(index, apps.get_model("admin", "LogEntry"), editor)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("egac", "0023_retries_of_a_cause"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [
        migrations.CreateModel(
            name="LoggedAction",
            fields=[],
            options={
                "verbose_name": "staff action",
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("admin.logentry",),
            managers=[("objects", django.contrib.admin.models.LogEntryManager())],
        ),
        migrations.RunPython(build, migrations.RunPython.noop),
        migrations.RunSQL(
            migrations.RunSQL.noop,
            [f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}" for index in INDEXES],
        ),
    ]
