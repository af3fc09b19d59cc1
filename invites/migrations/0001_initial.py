"""The club's tables: adopted where they are, made where they are not."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import invites.models
from egac.adoption import AdoptTables
from invites.migrations._older_tables import ENQUIRIES, INVITES


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        # What the models say, written by makemigrations; the database follows this state.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Enquiry",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                db_default=django.contrib.postgres.functions.RandomUUID(),
                                default=uuid.uuid4,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "created_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(), editable=False
                            ),
                        ),
                        ("name", models.TextField(null=True)),
                        ("email", models.TextField(null=True)),
                        ("phone", models.TextField(blank=True, null=True)),
                        ("interest", models.TextField(blank=True, null=True)),
                        ("source", models.TextField(blank=True, null=True)),
                        ("note", models.TextField(blank=True, null=True)),
                        ("training_days", models.JSONField(blank=True, null=True)),
                        (
                            "dob",
                            models.DateField(blank=True, null=True, verbose_name="date of birth"),
                        ),
                        ("processed", models.BooleanField(db_default=False)),
                        ("raw_payload", models.JSONField(blank=True, null=True)),
                        (
                            "events",
                            models.JSONField(
                                blank=True,
                                db_default=models.Value([], models.JSONField()),
                                null=True,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "enquiries",
                        "db_table": "enquiries",
                        "ordering": ["-created_at"],
                    },
                ),
                migrations.CreateModel(
                    name="Invite",
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
                        (
                            "id",
                            models.UUIDField(
                                db_default=django.contrib.postgres.functions.RandomUUID(),
                                default=uuid.uuid4,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "token",
                            models.TextField(
                                default=invites.models.new_token, editable=False, unique=True
                            ),
                        ),
                        ("accepted_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "status",
                            models.TextField(
                                choices=[
                                    ("pending", "pending"),
                                    ("processing", "being sent"),
                                    ("sent", "sent"),
                                    ("accepted", "accepted"),
                                    ("failed", "failed"),
                                    ("cancelled", "cancelled"),
                                ],
                                db_default="pending",
                            ),
                        ),
                        ("attempts", models.IntegerField(db_column="send_attempts", db_default=0)),
                        (
                            "last_error",
                            models.JSONField(blank=True, db_column="last_send_error", null=True),
                        ),
                        (
                            "due_at",
                            models.DateTimeField(
                                blank=True,
                                db_column="next_attempt_at",
                                null=True,
                                verbose_name="next try",
                            ),
                        ),
                        (
                            "enquiry",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="invites",
                                to="invites.enquiry",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "invites",
                        "permissions": [
                            ("retry_invite", "Can retry invites"),
                            ("cancel_invite", "Can cancel invites"),
                            ("send_invite", "Can send one invite for real"),
                            ("send_again_invite", "Can send a sent invite again"),
                        ],
                        "default_permissions": ("add", "view"),
                    },
                ),
                migrations.AddField(
                    model_name="enquiry",
                    name="invite",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="invites.invite",
                    ),
                ),
                migrations.AddIndex(
                    model_name="invite",
                    index=models.Index(
                        models.OrderBy(models.F("due_at"), nulls_first=True),
                        models.F("created_at"),
                        condition=models.Q(
                            ("status__in", ["pending", "processing"]),
                            models.Q(("reason__isnull", True), ("status", "failed")),
                            _connector="OR",
                        ),
                        name="invites_open",
                    ),
                ),
                migrations.AddIndex(
                    model_name="invite",
                    index=models.Index(fields=["status", "-created_at"], name="invites_by_status"),
                ),
                migrations.AddIndex(
                    model_name="invite",
                    index=models.Index(fields=["enquiry"], name="invites_of_an_enquiry"),
                ),
                migrations.AddConstraint(
                    model_name="invite",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "pending",
                                    "processing",
                                    "sent",
                                    "accepted",
                                    "failed",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="an_invite_has_a_known_status",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="invite",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("attempts__gte", 0)), name="attempts_are_counted_up"
                    ),
                ),
            ]
        ),
        AdoptTables(ENQUIRIES, INVITES),
    ]
