"""The queue: adopted where it is, made where it is not; batches and workers beside it."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import notifications.payloads
from egac.adoption import AdoptTables
from notifications.migrations._older_tables import QUEUE
from notifications.migrations._operations import (
    DROP_FUNCTION,
    DROP_TRIGGERS,
    MAKE_FUNCTION,
    MAKE_TRIGGERS,
    MakeTable,
    forget_cancelled,
    restore_narrower_rules,
    set_narrower_rules_aside,
)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        MakeTable(
            name="Worker",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("kind", models.TextField(choices=[("loop", "loop"), ("pass", "one pass")])),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("stopped_at", models.DateTimeField(null=True)),
                ("recorded", models.IntegerField(default=0)),
            ],
            options={
                "db_table": "workers",
            },
        ),
        MakeTable(
            name="EmailBatch",
            fields=[
                ("attempts", models.IntegerField(db_default=0)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("generation", models.IntegerField(db_default=1)),
                ("reason", models.TextField(blank=True, null=True)),
                ("rendered", models.TextField(blank=True, null=True)),
                ("preview", models.TextField(blank=True, null=True)),
                ("provider_message_id", models.TextField(blank=True, null=True)),
                ("call_started_at", models.DateTimeField(blank=True, null=True)),
                ("in_doubt_since", models.DateTimeField(blank=True, null=True)),
                ("repeats", models.IntegerField(db_default=0)),
                ("orphaned", models.BooleanField(db_default=False)),
                ("lease_owner", models.TextField(blank=True, null=True)),
                ("lease_number", models.BigIntegerField(db_default=0)),
                ("lease_ends_at", models.DateTimeField(blank=True, null=True)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("pending", "pending"),
                            ("processing", "being sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("cancelled", "dissolved"),
                        ],
                        db_default="pending",
                    ),
                ),
                ("last_error", models.TextField(blank=True, null=True)),
                ("row_ids", models.JSONField()),
            ],
            options={
                "db_table": "email_batches",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "processing"])),
                        fields=["due_at"],
                        name="batches_open",
                    )
                ],
            },
        ),
        migrations.RunSQL(MAKE_FUNCTION, DROP_FUNCTION),
        migrations.RunPython(set_narrower_rules_aside, restore_narrower_rules),
        # What the model says, written by makemigrations; the database follows this state.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Notification",
                    fields=[
                        (
                            "created_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        (
                            "updated_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("generation", models.IntegerField(db_default=1)),
                        ("reason", models.TextField(blank=True, null=True)),
                        ("rendered", models.TextField(blank=True, null=True)),
                        ("preview", models.TextField(blank=True, null=True)),
                        ("provider_message_id", models.TextField(blank=True, null=True)),
                        ("call_started_at", models.DateTimeField(blank=True, null=True)),
                        ("in_doubt_since", models.DateTimeField(blank=True, null=True)),
                        ("repeats", models.IntegerField(db_default=0)),
                        ("orphaned", models.BooleanField(db_default=False)),
                        ("lease_owner", models.TextField(blank=True, null=True)),
                        ("lease_number", models.BigIntegerField(db_default=0)),
                        ("lease_ends_at", models.DateTimeField(blank=True, null=True)),
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "status",
                            models.TextField(
                                choices=[
                                    ("pending", "pending"),
                                    ("processing", "being sent"),
                                    ("completed", "completed"),
                                    ("failed", "failed"),
                                    ("cancelled", "cancelled"),
                                ],
                                db_default="pending",
                            ),
                        ),
                        ("type", models.TextField()),
                        (
                            "payload",
                            models.JSONField(decoder=notifications.payloads.PayloadDecoder),
                        ),
                        ("attempts", models.IntegerField(db_default=0)),
                        (
                            "last_error",
                            models.TextField(
                                blank=True,
                                db_column="error_message",
                                null=True,
                                verbose_name="error",
                            ),
                        ),
                        (
                            "due_at",
                            models.DateTimeField(
                                blank=True,
                                db_column="scheduled_for",
                                null=True,
                                verbose_name="scheduled for",
                            ),
                        ),
                        ("key", models.TextField(blank=True, null=True, unique=True)),
                        ("priority", models.SmallIntegerField(db_default=100)),
                        ("expires_at", models.DateTimeField(blank=True, null=True)),
                        ("relevance", models.TextField(blank=True, db_default="")),
                        (
                            "batch",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="notifications",
                                to="notifications.emailbatch",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "notifications_queue",
                        "default_permissions": ("view",),
                        "permissions": [
                            ("retry_notification", "Can retry notifications"),
                            ("cancel_notification", "Can cancel notifications"),
                            ("reschedule_notification", "Can reschedule notifications"),
                        ],
                        "indexes": [
                            models.Index(
                                models.F("priority"),
                                models.OrderBy(models.F("due_at"), nulls_first=True),
                                models.F("id"),
                                condition=models.Q(
                                    ("status", "pending"),
                                    ("payload__contains", {"channel": "whatsapp"}),
                                ),
                                name="queue_whatsapp_in_order",
                            ),
                            models.Index(
                                models.F("priority"),
                                models.OrderBy(models.F("due_at"), nulls_first=True),
                                models.F("id"),
                                condition=models.Q(
                                    ("status", "pending"),
                                    models.Q(
                                        ("payload__contains", {"channel": "whatsapp"}),
                                        _negated=True,
                                    ),
                                ),
                                name="queue_email_in_order",
                            ),
                            models.Index(
                                condition=models.Q(("batch__isnull", False)),
                                fields=["batch"],
                                name="queue_of_a_batch",
                            ),
                            models.Index(
                                condition=models.Q(("status", "processing")),
                                fields=["lease_ends_at"],
                                name="queue_in_processing",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "status__in",
                                        [
                                            "pending",
                                            "processing",
                                            "completed",
                                            "failed",
                                            "cancelled",
                                        ],
                                    )
                                ),
                                name="notifications_queue_status_check",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Sample",
                    fields=[("type", models.TextField(primary_key=True, serialize=False))],
                    options={
                        "verbose_name": "message with sample data",
                        "verbose_name_plural": "messages with sample data",
                        "managed": False,
                        "default_permissions": ("view",),
                    },
                ),
            ]
        ),
        AdoptTables(QUEUE),
        migrations.RunSQL(MAKE_TRIGGERS, DROP_TRIGGERS),
        migrations.RunPython(migrations.RunPython.noop, forget_cancelled),
    ]
