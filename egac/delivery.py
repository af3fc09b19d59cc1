"""What became of every message, whoever owns its row: the audit, and whom not to write to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import connection, models
from django.db.models.functions import Lower, Now


class MessageAudit(models.Model):
    """One attempt to send one message. Append-only; only `prune_history` removes, by age."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "accepted by the provider"
        REFUSED = "refused", "refused"
        UNKNOWN = "unknown", "outcome unknown"
        DIED = "died", "the sender died before the call"

    at = models.DateTimeField(db_default=Now())
    source = models.TextField()  # the table that owns the row
    source_id = models.TextField()
    generation = models.IntegerField()
    attempt = models.IntegerField()
    counted = models.BooleanField()
    channel = models.TextField()
    recipient = models.TextField()
    provider = models.TextField()
    provider_message_id = models.TextField(blank=True, db_default="")
    outcome = models.TextField(choices=Outcome)
    error_code = models.TextField(blank=True, db_default="")
    error_message = models.TextField(blank=True, db_default="")
    duration_ms = models.IntegerField(null=True)
    note = models.TextField(blank=True, db_default="")  # what to know of it beside its outcome

    class Meta:
        db_table = "message_audit"
        verbose_name = "attempt"
        indexes = [
            models.Index(fields=["source", "source_id", "at"], name="message_audit_of_a_row"),
            models.Index(fields=["at"], name="message_audit_by_time"),
            models.Index(Lower("recipient"), name="message_audit_by_recipient"),
            # Of what is rare: what most attempts are is met soon in the order of time.
            models.Index(
                fields=["outcome", "at"],
                name="message_audit_by_outcome",
                condition=~models.Q(outcome="accepted"),
            ),
            BrinIndex(
                fields=["channel"],
                opclasses=["text_bloom_ops"],
                autosummarize=True,
                name="message_audit_by_channel",
            ),
            models.Index(
                fields=["provider_message_id"],
                name="message_audit_of_a_message",
                condition=~models.Q(provider_message_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} to {self.recipient}: {self.get_outcome_display()}"


@dataclass
class AuditLine:
    """A line that is not written yet, under the names of MessageAudit's columns."""

    source: str
    source_id: str
    generation: int
    attempt: int
    counted: bool
    channel: str
    recipient: str
    provider: str
    provider_message_id: str
    outcome: MessageAudit.Outcome
    error_code: str
    error_message: str
    duration_ms: int | None
    note: str


LINE = (
    "source text, source_id text, generation integer, attempt integer, counted boolean, "
    "channel text, recipient text, provider text, provider_message_id text, outcome text, "
    "error_code text, error_message text, duration_ms integer, note text"
)
NAMES = ", ".join(field.name for field in fields(AuditLine))
INSERT = (
    f"INSERT INTO message_audit ({NAMES}) SELECT {NAMES} FROM json_to_recordset(%s) AS line({LINE})"
)


def add_lines(lines: Sequence[AuditLine]) -> None:
    """Add lines to the audit: one statement, one parameter, however many lines."""
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [json.dumps([vars(line) for line in lines])])


class DeliveryEvent(models.Model):
    """What a provider told of one message after it took it. Append-only, once an event."""

    class Kind(models.TextChoices):
        """In the order of what they prove: the last one told is the state of the message."""

        SENT = "sent", "sent"
        DELAYED = "delayed", "delayed"
        FAILED = "failed", "failed"
        SUPPRESSED = "suppressed", "withheld by the provider"
        DELIVERED = "delivered", "delivered"
        OPENED = "opened", "opened"
        CLICKED = "clicked", "link clicked"
        READ = "read", "read"
        BOUNCED = "bounced", "bounced"
        COMPLAINED = "complained", "marked as spam"

    provider = models.TextField()
    event_id = models.TextField()
    provider_message_id = models.TextField()
    source = models.TextField(blank=True, db_default="")  # the row that the message named, if any
    source_id = models.TextField(blank=True, db_default="")
    generation = models.IntegerField(null=True)  # of that row; earlier messages do not name it
    kind = models.TextField(choices=Kind)
    occurred_at = models.DateTimeField()  # on the provider's clock
    received_at = models.DateTimeField(db_default=Now())
    recipient = models.TextField(blank=True, db_default="")
    code = models.TextField(blank=True, db_default="")  # of a bounce or an error
    detail = models.TextField(blank=True, db_default="")  # the provider's words about it
    waits_for_row = models.BooleanField(db_default=False)  # the row's call has not ended yet
    settled_generation = models.IntegerField(null=True)  # of the row, where this ended its doubt

    class Meta:
        db_table = "delivery_events"
        indexes = [
            models.Index(fields=["source", "source_id"], name="delivery_events_of_a_row"),
            models.Index(fields=["provider_message_id"], name="delivery_events_of_a_message"),
            models.Index(fields=["received_at"], name="delivery_events_by_time"),
            models.Index(
                fields=["source"],
                name="delivery_events_waiting",
                condition=models.Q(waits_for_row=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event_id", "provider"], name="a_delivery_event_is_kept_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_message_id}: {self.get_kind_display()}"


def events_of(source: str, source_id: object) -> models.QuerySet[DeliveryEvent]:
    """Return what was told of a row's messages, the oldest first.

    An event names its row, or only a message whose id stands in the row's audit: matched here, so
    it does not matter which of the two came first.
    """
    lines = MessageAudit.objects.filter(source=source, source_id=str(source_id))
    ids = lines.exclude(provider_message_id="").values_list("provider_message_id", flat=True)
    names_it = models.Q(source=source, source_id=str(source_id))
    # A list: the two indexes are not used together with a sub-select.
    return DeliveryEvent.objects.filter(
        names_it | models.Q(provider_message_id__in=list(ids))
    ).order_by("occurred_at", "event_id")


class Suppression(models.Model):
    """An address that must not be written to: it bounced hard, complained, or staff said so."""

    address = models.TextField()
    reason = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "suppressions"
        indexes = [
            models.Index(fields=["-created_at"], name="suppressions_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("address"), name="an_address_is_suppressed_once")
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}"


def first_refused_at(row: Any, *, code: str) -> datetime | None:
    """Return when the provider first refused this generation of a row with this code."""
    lines = MessageAudit.objects.filter(
        source=row._meta.db_table,
        source_id=str(row.pk),
        generation=row.generation,
        outcome=MessageAudit.Outcome.REFUSED,
        error_code=code,
    )
    return lines.order_by("at").values_list("at", flat=True).first()


def not_written_to(address: str, reason: str) -> str:
    """Return in a sentence that nothing goes to a suppressed address, and why."""
    return f"{address} is not written to: {reason}."


def suppressed_among(addresses: set[str]) -> dict[str, str]:
    """Return the suppressed ones of these addresses, in lower case, with the reason of each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(address), reason FROM suppressions WHERE lower(address) = ANY(%s)",
            [[address.lower() for address in addresses]],
        )
        return dict(cursor.fetchall())
