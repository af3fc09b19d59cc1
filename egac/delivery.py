"""What became of every message, whoever owns its row: the audit, and whom not to write to."""

from django.db import models
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

    class Meta:
        db_table = "message_audit"
        verbose_name = "attempt"
        indexes = [
            models.Index(fields=["source", "source_id", "at"], name="message_audit_of_a_row"),
            models.Index(fields=["at"], name="message_audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} to {self.recipient}: {self.get_outcome_display()}"


class Suppression(models.Model):
    """An address that must not be written to: it bounced hard, complained, or staff said so."""

    address = models.TextField()
    reason = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "suppressions"
        constraints = [
            models.UniqueConstraint(Lower("address"), name="an_address_is_suppressed_once")
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}"


def suppressed_among(addresses: set[str]) -> dict[str, str]:
    """Return the suppressed ones of these addresses, in lower case, with the reason of each."""
    lowered = {address.lower() for address in addresses}
    found = Suppression.objects.annotate(key=Lower("address")).filter(key__in=lowered)
    return {row.address.lower(): row.reason for row in found}
