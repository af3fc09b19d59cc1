"""Messages queued by the other apps and by other programs, and what carries them out."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now, Upper
from django.utils.timezone import localtime

from egac.instants import InstantField
from egac.outbox import (
    MAY_BE_WRITTEN_TO,
    Irrelevant,
    Outgoing,
    OutgoingQuerySet,
    rendered_of,
)
from egac.retry import Reason
from notifications import consent, finding, payloads, relevance
from notifications.catalogue import title_of
from notifications.finding import CAUSE
from notifications.finding import IS_WHATSAPP as IS_WHATSAPP
from notifications.workers import Sample as Sample
from notifications.workers import Worker as Worker

WAITS = Q(status="pending")
RECIPIENT = Upper(KeyTextTransform("to", "payload"))


class NotificationQuerySet(OutgoingQuerySet):
    """Questions about queued messages."""

    def for_whatsapp(self) -> Self:
        return self.filter(IS_WHATSAPP)

    def for_email(self) -> Self:
        """Everything else: a row without a channel must fail with a sentence, not wait for ever."""
        return self.exclude(IS_WHATSAPP)

    def to_any_of(self, addresses: Sequence[str]) -> Self:
        """Rows to one of these addresses or numbers as they are queued, in whatever case."""
        upper = [address.upper() for address in addresses]
        return self.alias(recipient_in_capitals=RECIPIENT).filter(recipient_in_capitals__in=upper)

    def orphans(self, lease: Any) -> Self:
        """A row that is frozen in an open batch is its batch's to settle."""
        status = EmailBatch.Status
        still_open = EmailBatch.objects.filter(status__in=[status.PENDING, status.PROCESSING])
        return super().orphans(lease).exclude(batch__in=still_open)

    def freeze(self, rows: Sequence["Notification"], *, batch: "EmailBatch") -> set[int]:
        """Hand claimed rows over to a batch; return the same keys as `start`."""
        return self.update_each(
            [rendered_of(row) for row in rows],
            f"rendered = new.rendered, batch_id = {int(batch.pk)}, lease_owner = NULL, "
            "lease_ends_at = NULL, updated_at = now()",
            only=f"outgoing.status = '{Notification.Status.PROCESSING}' AND {MAY_BE_WRITTEN_TO}",
        )

    def hurry(self) -> int:
        return self.update(priority=0, updated_at=Now())

    def in_order(self) -> Self:
        return self.order_by("priority", F("due_at").asc(nulls_first=True), "id")

    def freshly_due(self) -> Self:
        """Due rows that were never called and may share a batch; an attachment goes alone."""
        never_called = self.due().filter(attempts__lte=0, in_doubt_since=None, orphaned=False)
        return never_called.exclude(payload__has_key="attachments")

    def not_freshly_due(self) -> Self:
        """Due rows that go alone."""
        called = Q(attempts__gt=0) | Q(in_doubt_since__isnull=False) | Q(orphaned=True)
        return self.filter(called | Q(payload__has_key="attachments"))


class Notification(Outgoing):
    """One message to one person on one channel; the first nine columns are other programs' too."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        PROCESSING = "processing", "being sent"
        COMPLETED = "completed", "completed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    DONE: ClassVar[str] = Status.COMPLETED
    CAUSE: ClassVar[Any] = CAUSE

    owners: list[tuple[str, bool]] | None = None  # of its number, as a claim tells them
    forbidden = ""  # why its recipient is not written to, as `look_up` notes
    looked_up: Any = None  # what its check of relevance reads, as `look_up` notes

    id = models.AutoField(primary_key=True)
    status = models.TextField(choices=Status, db_default=Status.PENDING)
    type = models.TextField()
    payload = models.JSONField(decoder=payloads.PayloadDecoder)
    attempts = models.IntegerField(db_default=0)
    last_error = models.TextField("error", db_column="error_message", null=True, blank=True)
    due_at = InstantField("scheduled for", db_column="scheduled_for", null=True, blank=True)
    # Ours
    key = models.TextField(null=True, blank=True, unique=True)  # asking twice queues once
    priority = models.SmallIntegerField(db_default=100)  # less goes first
    expires_at = InstantField(null=True, blank=True)
    relevance = models.TextField(blank=True, db_default="")  # the name of a check
    batch = models.ForeignKey(
        "EmailBatch",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="notifications",
        db_index=False,
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications_queue"
        verbose_name = "queued message"
        default_permissions = ("view",)  # a record: it is acted upon, never edited
        permissions = [
            ("retry_notification", "Can retry queued messages"),
            ("cancel_notification", "Can cancel queued messages"),
            ("reschedule_notification", "Can reschedule queued messages"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "processing", "completed", "failed", "cancelled"]
                ),
                name="notifications_queue_status_check",
            ),
        ]
        indexes = [
            # The contract's own two, on status and on scheduled_for, are made by the migration: a
            # name of theirs is longer than Django allows.
            models.Index(
                "priority",
                F("due_at").asc(nulls_first=True),
                "id",
                name="queue_whatsapp_in_order",
                condition=WAITS & IS_WHATSAPP,
            ),
            models.Index(
                "priority",
                F("due_at").asc(nulls_first=True),
                "id",
                name="queue_email_in_order",
                condition=WAITS & ~IS_WHATSAPP,
            ),
            models.Index(
                fields=["batch"],
                name="queue_of_a_batch",
                condition=Q(batch__isnull=False),
            ),
            models.Index(
                fields=["lease_ends_at"],
                name="queue_in_processing",
                condition=Q(status="processing"),
            ),
            models.Index(RECIPIENT, name="queue_by_recipient"),
            *finding.OF_FAILURES,
            *finding.INDEXES,
        ]

    def __str__(self) -> str:
        return f"{title_of(self.type)}, to {self.recipient or 'nobody'}"

    @classmethod
    def attempt_limit(cls) -> int:
        return settings.NOTIFICATION_MAX_ATTEMPTS

    @property
    def recipient(self) -> str:
        to = self.payload.get("to") if isinstance(self.payload, dict) else None
        return to.strip() if isinstance(to, str) else ""

    @property
    def is_whatsapp(self) -> bool:
        return isinstance(self.payload, dict) and self.payload.get("channel") == "whatsapp"

    def error_value(self, error: Exception | None) -> str | None:
        return None if error is None else str(error)

    @classmethod
    def told_with_a_claim(cls) -> dict[str, str]:
        """Who has the row's number and agreed: a query of its own would keep the call waiting."""
        to = "outgoing.payload ->> 'to'"
        is_whatsapp = "outgoing.payload ->> 'channel' = 'whatsapp'"
        return {"owners": f"CASE WHEN {is_whatsapp} THEN {consent.told_with(to)} END"}

    @classmethod
    def look_up(cls, rows: Sequence[Any]) -> None:
        consent.note_on(rows)
        relevance.note_on(rows)

    def check_relevance(self) -> None:
        """Raise Irrelevant where nobody agreed to it, its time is over or its matter changed."""
        if self.forbidden:
            raise Irrelevant(self.forbidden, reason=Reason.SUPPRESSED)
        if self.expires_at and self.claimed_at and self.expires_at <= self.claimed_at:
            until = f"{localtime(self.expires_at):%-d %B %Y at %H:%M %Z}"
            raise Irrelevant(f"It was of use until {until}.", reason=Reason.EXPIRED)
        relevance.check(self)

    def render(self) -> dict[str, Any]:
        return payloads.message(self.payload, tag=self.tag)


class EmailBatchQuerySet(OutgoingQuerySet):
    """Questions about batches: those of every outgoing row."""


class EmailBatch(Outgoing):
    """Up to a hundred e-mails in one call: a unit with one key, sent again as it was.

    Its notifications are frozen in `processing` until they are settled, in the transaction that
    records the batch. While none of them can have been sent, one that lost its point dissolves it:
    cancelled it lets all go, to be judged one by one.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        PROCESSING = "processing", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "dissolved"

    DONE: ClassVar[str] = Status.SENT

    frozen: Sequence[Notification] = ()  # those that may still lose their point, as `look_up` notes

    id = models.BigAutoField(primary_key=True)
    status = models.TextField(choices=Status, db_default=Status.PENDING)
    last_error = models.TextField(null=True, blank=True)
    row_ids = models.JSONField()  # in the order of the messages

    objects = EmailBatchQuerySet.as_manager()

    class Meta:
        db_table = "email_batches"
        indexes = [
            models.Index(
                fields=["due_at"],
                name="batches_open",
                condition=Q(status__in=["pending", "processing"]),
            )
        ]

    def __str__(self) -> str:
        return f"batch {self.pk} of {len(self.row_ids)} e-mails"

    @classmethod
    def attempt_limit(cls) -> int:
        return settings.NOTIFICATION_MAX_ATTEMPTS

    @property
    def recipient(self) -> str:
        return ""  # it has many

    @property
    def recipients(self) -> list[str]:
        return [each.recipient for each in self.frozen]

    @classmethod
    def look_up(cls, rows: Sequence[Any]) -> None:
        certain = {batch.pk: batch for batch in rows if batch.in_doubt_since is None}
        messages = list(
            Notification.objects.filter(batch__in=certain, status=Notification.Status.PROCESSING)
            .defer("rendered")
            .order_by("pk")
        )
        for batch in certain.values():
            batch.frozen = [each for each in messages if each.batch_id == batch.pk]
        if messages:
            Notification.look_up(messages)

    def check_relevance(self) -> None:
        """Raise Irrelevant where one of its messages lost its point since they were frozen."""
        for each in self.frozen:
            each.claimed_at = self.claimed_at
            try:
                each.check_relevance()
            except Exception as error:
                # The drain loop's exception: judged by itself it ends, and takes no other with it.
                raise Irrelevant(str(error)) from error

    def error_value(self, error: Exception | None) -> str | None:
        return None if error is None else str(error)
