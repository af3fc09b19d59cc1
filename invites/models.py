"""Who asked, who was invited, and whether the invite arrived."""

import secrets
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from egac.causes import NEWEST_FIRST, Fingerprint, JsonText
from egac.instants import DayField, InstantField
from egac.mail import compose
from egac.numbers import END_OF_PHONE
from egac.outbox import Irrelevant, Outgoing, OutgoingQuerySet, Unsendable
from invites import finding

CAUSE = Fingerprint(JsonText("last_error", path=""))


def new_token() -> str:
    """Return the 32 hex characters of a personal link."""
    return secrets.token_hex(16)


class Enquiry(models.Model):
    """What a person who asked about training wrote."""

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    created_at = InstantField(db_default=Now(), editable=False)
    name = models.TextField(null=True)
    email = models.TextField(null=True)
    phone = models.TextField(null=True, blank=True)
    interest = models.TextField(null=True, blank=True)
    source = models.TextField(null=True, blank=True)
    note = models.TextField(null=True, blank=True)
    training_days = models.JSONField(null=True, blank=True)
    dob = DayField("date of birth", null=True, blank=True)
    processed = models.BooleanField(db_default=False)
    raw_payload = models.JSONField(null=True, blank=True)
    invite = models.ForeignKey(
        "Invite", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    events = models.JSONField(
        null=True, blank=True, db_default=models.Value([], models.JSONField())
    )

    class Meta:
        db_table = "enquiries"
        verbose_name_plural = "enquiries"
        ordering = ["-created_at"]
        indexes = [
            models.Index(Lower("email"), name="enquiries_by_email"),
            models.Index(END_OF_PHONE, name="enquiries_by_end_of_phone"),
            GinIndex(SearchVector("name", config="simple"), name="enquiries_by_words_of_name"),
            *finding.OF_ENQUIRIES,
        ]

    def __str__(self) -> str:
        return f"{self.name or 'No name'} <{self.email or 'no address'}>"


class InviteQuerySet(OutgoingQuerySet):
    """Questions about invites."""

    def open_to_claims(self) -> "InviteQuerySet":
        """Pending ones, and failed ones of the older program, which gave no reason."""
        status = self.model.Status
        older = Q(status=status.FAILED, reason=None, canary=None)
        return self.filter(Q(status=status.PENDING) | older)

    def retriable(self) -> "InviteQuerySet":
        return super().retriable().filter(accepted_at=None)

    def failed(self) -> "InviteQuerySet":
        return self.filter(status=self.model.Status.FAILED)


class Invite(Outgoing):
    """The e-mail with a personal link that answers an enquiry."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        PROCESSING = "processing", "being sent"
        SENT = "sent", "sent"
        ACCEPTED = "accepted", "accepted"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    DONE: ClassVar[str] = Status.SENT
    CAUSE: ClassVar[Any] = CAUSE
    PREFETCH: ClassVar[tuple[str, ...]] = ("enquiry",)

    id = models.UUIDField(primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    token = models.TextField(unique=True, default=new_token, editable=False)
    enquiry = models.ForeignKey(
        Enquiry, models.SET_NULL, null=True, related_name="invites", db_index=False
    )
    accepted_at = InstantField(null=True, blank=True)
    status = models.TextField(choices=Status, db_default=Status.PENDING)
    # The contract's names for what every outgoing row has.
    attempts = models.IntegerField(db_column="send_attempts", db_default=0)
    last_error = models.JSONField(db_column="last_send_error", null=True, blank=True)
    due_at = InstantField("next try", db_column="next_attempt_at", null=True, blank=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        db_table = "invites"
        default_permissions = ("add", "view")  # a record: it is acted upon, never edited
        permissions = [
            ("retry_invite", "Can retry invites"),
            ("cancel_invite", "Can cancel invites"),
            ("send_invite", "Can send one invite for real"),
            ("send_again_invite", "Can send a sent invite again"),
        ]
        indexes = [
            models.Index(
                F("due_at").asc(nulls_first=True),
                "created_at",
                name="invites_open",
                condition=Q(status__in=["pending", "processing"])
                | Q(status="failed", reason__isnull=True),
            ),
            models.Index(fields=["status", "-created_at"], name="invites_by_status"),
            models.Index(fields=["enquiry"], name="invites_of_an_enquiry"),
            models.Index(
                CAUSE, NEWEST_FIRST, name="invites_failed_by_cause", condition=Q(status="failed")
            ),
            models.Index(
                fields=["canary"],
                name="invites_under_a_canary",
                condition=Q(canary__isnull=False),
            ),
            *finding.OF_INVITES,
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "processing", "sent", "accepted", "failed", "cancelled"]
                ),
                name="an_invite_has_a_known_status",
            ),
            models.CheckConstraint(condition=Q(attempts__gte=0), name="attempts_are_counted_up"),
        ]

    def __str__(self) -> str:
        return f"Invite to {self.recipient or 'nobody'}"

    @classmethod
    def attempt_limit(cls) -> int:
        return settings.MAX_INVITE_RETRIES

    @property
    def recipient(self) -> str:
        return (self.enquiry.email or "").strip() if self.enquiry else ""

    @property
    def waits(self) -> bool:
        """Whether it is open to claims; one of the older program only while attempts are left."""
        is_older = self.status == self.Status.FAILED and self.reason is None and not self.canary
        return super().waits or (is_older and not self.is_used_up)

    @property
    def link(self) -> str:
        """The personal link; the page behind it is the club's website."""
        return f"{settings.SITE_BASE_URL}/bookings?invite={self.token}"

    def check_relevance(self) -> None:
        """Raise Irrelevant for an invite that was accepted: delivery is then of no matter."""
        if self.accepted_at:
            raise Irrelevant("It was accepted already.")

    def render(self) -> dict[str, Any]:
        if self.enquiry is None:
            raise Unsendable("Its enquiry is gone, so there is no address to send it to.")
        context = {"name": self.enquiry.name, "link": self.link, "interest": self.enquiry.interest}
        return compose("invite", to=self.recipient, context=context, tag=self.tag)

    def error_value(self, error: Exception | None) -> dict[str, str] | None:
        if error is None:
            return None
        return {"code": getattr(error, "code", "error"), "message": str(error)}
