"""Rows for the benchmarks, made by the database itself."""

from typing import Any

from django.db import connection

PENDING = """
INSERT INTO notifications_queue (type, payload, status, scheduled_for)
SELECT 'payment_reminder', jsonb_build_object('channel', %(channel)s::text, 'to',
  CASE WHEN %(channel)s = 'email' THEN 'person' || n || '@families.example'
    ELSE '+4477' || lpad(n::text, 8, '0') END,
  'template', 'class_reminder', 'language', 'en_GB', 'variables', '["Amelia"]'::jsonb),
  %(status)s, now() + %(wait)s::interval
FROM generate_series(1, %(count)s) AS n
"""
WRITTEN = """
UPDATE notifications_queue
SET payload = (payload - 'template' - 'variables' - 'language')
  || '{"subject": "See you", "html": "<p>See you on Tuesday.</p>"}'
WHERE payload ->> 'channel' = 'email'
"""


def empty() -> None:
    """Remove every message and everything about them."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_queue, email_batches, message_audit, channels")


def fill(
    count: int, *, channel: str = "whatsapp", status: str = "pending", wait: str = "0"
) -> None:
    """Insert so many messages, due after `wait`, and let the planner know of them."""
    told: dict[str, Any] = {"count": count, "channel": channel, "status": status, "wait": wait}
    with connection.cursor() as cursor:
        cursor.execute(PENDING, told)
        if channel == "email":
            cursor.execute(WRITTEN)
        cursor.execute("VACUUM ANALYZE notifications_queue")


def remove_due() -> None:
    """Remove what earlier rounds have drained; what waits or had finished before stays."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_queue WHERE attempts > 0")
        cursor.execute("TRUNCATE message_audit")


def whatsapp_payload(number: int) -> dict[str, Any]:
    """Return the payload of a WhatsApp message to one of many numbers."""
    return {
        "channel": "whatsapp",
        "to": f"+4477{number:08d}",
        "template": "class_reminder",
        "language": "en_GB",
        "variables": ["Amelia"],
    }


def count(status: str) -> int:
    """Return how many messages have this status."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notifications_queue WHERE status = %s", [status])
        return int(cursor.fetchone()[0])
