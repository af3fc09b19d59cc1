"""Invented messages."""

import json
from typing import Any

from django.db import connection

from notifications.models import Notification

INSERT = "INSERT INTO notifications_queue (type, payload) VALUES (%s, %s)"


def email(to: str = "amelia@families.example", **more: Any) -> dict[str, Any]:
    """Return the payload of an e-mail that another program wrote."""
    html = "<p>See you on Tuesday.</p>"
    return {"channel": "email", "to": to, "subject": "You are booked", "html": html, **more}


def whatsapp(to: str = "+447700900123", **more: Any) -> dict[str, Any]:
    """Return the payload of a WhatsApp message."""
    return {
        "channel": "whatsapp",
        "to": to,
        "template": "class_reminder",
        "language": "en_GB",
        "variables": ["Amelia", "Tuesday 18:30"],
        **more,
    }


def queue(payload: dict[str, Any], **fields: Any) -> Notification:
    """Queue one message as a plain INSERT of another program would."""
    return Notification.objects.create(type="booking_confirmation", payload=payload, **fields)


def queue_emails(count: int) -> list[Notification]:
    """Queue so many e-mails to different people with few statements."""
    return Notification.objects.bulk_create(
        Notification(type="payment_reminder", payload=email(f"person{n}@families.example"))
        for n in range(count)
    )


def queue_whatsapps(count: int) -> list[Notification]:
    """Queue so many WhatsApp messages with few statements."""
    return Notification.objects.bulk_create(
        Notification(type="payment_reminder", payload=whatsapp(f"+4477009{n:05d}"))
        for n in range(count)
    )


def sql(statement: str, *params: Any) -> list[Any]:
    """Run a statement as another program does, and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


def insert(payload: Any, *, type: str = "another_programs") -> None:
    """Queue a message as another program does that names nothing else."""
    sql(INSERT, type, json.dumps(payload))
