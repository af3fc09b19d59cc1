"""The verbs of the queue: enqueue messages, and correct those that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from notifications import consent, payloads, relevance
from notifications.catalogue import email_payload, title_of, whatsapp_payload
from notifications.consent import register as register_consent
from notifications.models import Notification
from notifications.relevance import register as register_relevance

__all__ = [
    "Message",
    "correct_waiting",
    "email_payload",
    "enqueue",
    "register_consent",
    "register_relevance",
    "rows_of_messages",
    "title_of",
    "whatsapp_payload",
]

USUAL, URGENT = 100, 10  # priorities: less goes first

INSERT = """
INSERT INTO notifications_queue
  (type, payload, key, priority, scheduled_for, expires_at, relevance)
SELECT * FROM jsonb_to_recordset(%s::jsonb) AS message
  (type text, payload jsonb, key text, priority smallint, scheduled_for timestamptz,
    expires_at timestamptz, relevance text)
ON CONFLICT (key) DO NOTHING RETURNING key
"""


@dataclass(frozen=True)
class Message:
    """One message to one person. `key` is unique: asking twice queues once.

    `relevance` names a registered check that is asked just before sending; after `expires_at` the
    message is of no use; before `not_before` it waits.
    """

    type: str
    payload: Mapping[str, Any]
    key: str
    priority: int = USUAL
    not_before: datetime | None = None
    expires_at: datetime | None = None
    relevance: str = ""


def enqueue(messages: Sequence[Message]) -> set[str]:
    """Queue messages inside the caller's transaction; return the keys that are new.

    Raises Unsendable at once for what could never be sent, and for a number whose owner did not
    agree to WhatsApp; it queues none then.
    """
    if not messages:
        return set()
    told = payloads.as_json([_row(message) for message in messages])
    consent.require({payloads.whatsapp_number(message.payload) for message in messages} - {""})
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [told])
        return {key for (key,) in cursor.fetchall()}


def _row(message: Message) -> dict[str, Any]:
    payloads.check(message.payload)
    relevance.require(message.relevance)
    return {
        "type": message.type,
        "payload": dict(message.payload),
        "key": message.key,
        "priority": message.priority,
        "scheduled_for": message.not_before and message.not_before.isoformat(),
        "expires_at": message.expires_at and message.expires_at.isoformat(),
        "relevance": message.relevance,
    }


def rows_of_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages as the result of a job tells them: no content, for it holds keys."""
    return [
        {
            "type": each.type,
            "channel": each.payload["channel"],
            "to": each.payload["to"],
            "expires_at": each.expires_at.isoformat() if each.expires_at else None,
        }
        for each in messages
    ]


def correct_waiting(keys: Sequence[str], *, changed: Mapping[str, Any]) -> int:
    """Let the messages under these keys say what changed; return how many do.

    One that was tried already stays: each further try carries the very same bytes.
    """
    rows = Notification.objects.filter(
        key__in=keys, status=Notification.Status.PENDING, rendered__isnull=True
    )
    waiting = list(rows.select_for_update())
    for row in waiting:
        made = whatsapp_payload if row.is_whatsapp else email_payload
        context = {**row.payload["context"], **changed}
        row.payload = made(row.type, to=row.recipient, context=context)
        row.updated_at = Now()
    Notification.objects.bulk_update(waiting, ["payload", "updated_at"])
    return len(waiting)
