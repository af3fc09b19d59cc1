"""Retries of a cause under a canary, and the page of failures by cause."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("egac", "0021_find_in_long_lists"), ("egac", "0022_figures")]

    operations = [
        migrations.CreateModel(
            name="Failure",
            fields=[
                ("cause", models.TextField(primary_key=True, serialize=False)),
            ],
            options={
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="CanaryRetry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.TextField()),
                ("cause", models.TextField()),
                ("meaning", models.TextField()),
                ("canary_key", models.TextField()),
                ("canary_generation", models.IntegerField()),
                ("held", models.IntegerField()),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("started_by", models.TextField()),
                ("why", models.TextField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("waiting", "waits for its test"),
                            ("released", "released"),
                            ("returned", "failed as before"),
                            ("taken_back", "taken back"),
                        ],
                        db_default="waiting",
                    ),
                ),
                ("arrived_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.TextField(db_default="")),
                ("because", models.TextField(db_default="")),
                ("changed", models.IntegerField(null=True)),
            ],
            options={
                "verbose_name": "retry of a cause",
                "verbose_name_plural": "retries of causes",
                "db_table": "canary_retries",
                "default_permissions": (),
                "indexes": [models.Index(fields=["-started_at"], name="retries_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("source", "cause"),
                        name="one_waiting_retry_per_table_and_cause",
                    )
                ],
            },
        ),
    ]
