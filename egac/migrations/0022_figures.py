"""Keep how many rows have ended and how many attempts each hour had."""

import django.db.models.fields.composite
from django.db import migrations, models

from egac import counting

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"


class Migration(migrations.Migration):
    # The apps' tables stand on these figures, and none of them needs what the console needs.
    dependencies = [("egac", "0006_told_rate")]

    operations = [
        migrations.CreateModel(
            name="FinishedRows",
            fields=[
                (
                    "pk",
                    django.db.models.fields.composite.CompositePrimaryKey(
                        "source",
                        "channel",
                        "status",
                        "slot",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("source", models.TextField()),
                ("channel", models.TextField()),
                ("status", models.TextField()),
                ("slot", models.SmallIntegerField()),
                ("count", models.BigIntegerField()),
            ],
            options={
                "db_table": "finished_rows",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HourlyFigure",
            fields=[
                (
                    "pk",
                    django.db.models.fields.composite.CompositePrimaryKey(
                        "hour",
                        "channel",
                        "outcome",
                        "slot",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("channel", models.TextField()),
                ("outcome", models.TextField()),
                ("slot", models.SmallIntegerField()),
                ("count", models.BigIntegerField()),
            ],
            options={
                "db_table": "hourly_figures",
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(counting.MAKE_SLOTS, counting.DROP_SLOTS),
        # From here on writers of the audit wait: half a second for a million lines.
        migrations.RunSQL(LOCK_TIMEOUT, migrations.RunSQL.noop),
        migrations.RunSQL(counting.MAKE_HOURS, counting.DROP_HOURS),
        migrations.RunSQL(counting.FILL_HOURS, migrations.RunSQL.noop),
    ]
