"""Delivery events as the providers tell them, and rows about which there is doubt."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from egac.delivery import DeliveryEvent, MessageAudit
from egac.events import Told
from egac.webhooks import told_by_resend
from egac.webhooks_whatsapp import told_by_whatsapp

KINDS = [str(kind) for kind in DeliveryEvent.Kind]
PARTS: dict[str, dict[str, str]] = {
    "bounced": {"type": "Permanent", "subType": "NoEmail", "message": "No such mailbox."},
    "failed": {"reason": "reached_daily_quota"},
    "suppressed": {"reason": "previous_bounce", "message": "It bounced before."},
}
counter = iter(range(1_000_000))


def by_resend(
    kind: str, row: Any = None, *, at: datetime | None = None, message: str = "re_1", **data: Any
) -> Told:
    """Return a new event of Resend."""
    name = "delivery_delayed" if kind == "delayed" else kind
    event = {
        "type": f"email.{name}",
        "created_at": (at or timezone.now()).isoformat(),
        "data": {
            "email_id": message,
            "to": ["amelia@families.example"],
            "tags": {"row": row.tag} if row else {},
            kind.removeprefix("bounced") or "bounce": PARTS.get(kind),
            **data,
        },
    }
    told = told_by_resend(event, event_id=f"msg_{next(counter)}")
    assert told
    return told


def by_whatsapp(status: str, row: Any, *, message: str = "wamid.1", after: int = 0) -> Told:
    """Return a new event of WhatsApp."""
    error = {"code": 131026, "title": "Message undeliverable"}
    told = {
        "id": message,
        "status": status,
        "timestamp": str(int(timezone.now().timestamp()) + after),
        "recipient_id": "447700900123",
        "biz_opaque_callback_data": row.tag,
        "errors": [error] if status == "failed" else [],
    }
    [event] = told_by_whatsapp({"entry": [{"changes": [{"value": {"statuses": [told]}}]}]})
    return event


def an_event(kind: str, **fields: Any) -> DeliveryEvent:
    """Return an event as the database has it, without storing it."""
    at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    return DeliveryEvent(**{"kind": kind, "occurred_at": at, "code": "", "detail": "", **fields})


def audit(row: Any, **fields: Any) -> MessageAudit:
    told = {
        "generation": 1,
        "attempt": 1,
        "counted": True,
        "channel": "email",
        "provider": "resend",
    }
    return MessageAudit.objects.create(
        source=row._meta.db_table,
        source_id=str(row.pk),
        recipient=row.recipient,
        **{**told, "outcome": "accepted", **fields},
    )


def uncertain(row: Any) -> Any:
    """Make a row one that perhaps arrived, and that waits for a person."""
    return doubted(row, status=row.Status.FAILED, reason="uncertain")


def in_doubt(row: Any) -> Any:
    """Make a row one whose call is repeated in a while."""
    return doubted(row, status=row.Status.PENDING, due_at=Now() + timedelta(minutes=5))


def doubted(row: Any, **fields: Any) -> Any:
    error = row.error_value(Exception("It did not answer."))
    doubt = {"in_doubt_since": Now(), "attempts": 1, "last_error": error, "lease_number": 3}
    type(row).objects.filter(pk=row.pk).update(**doubt, **fields)
    return fresh(row)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def end_of(row: Any) -> tuple[Any, ...]:
    now = fresh(row)
    return (now.status, now.reason, now.provider_message_id)
