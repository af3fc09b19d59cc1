"""What was written to a customer, told to their timeline: messages, attempts, what became of them.

A message belongs to who its context names, or else to everybody who has the address or number.
"""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse

from bookings.consent import number_of
from bookings.models import Customer
from bookings.timeline import MOST_EVENTS
from egac.admin_outgoing import BAD_NEWS, attempt_of
from egac.admin_pages import Event
from egac.models import DeliveryEvent, MessageAudit
from notifications.models import Notification
from notifications.services import title_of

Status = Notification.Status

QUEUE = Notification._meta.db_table
ENDED_UNSENT = {Status.FAILED: "failed", Status.CANCELLED: "not sent"}
Titles = dict[str, str]  # of messages, by their keys as the audit has them


def messages_of(customer: Customer) -> Iterator[Event]:
    """Tell every message to the customer, each attempt, and what the provider told of it later."""
    rows = {str(row.pk): row for row in _queued_for(customer)}
    titles = {key: _title(row) for key, row in rows.items()}
    for row in rows.values():
        yield from _states(row, titles[str(row.pk)])
    lines = list(MessageAudit.objects.filter(source=QUEUE, source_id__in=rows))
    for line in lines:
        told = attempt_of(line)
        yield Event(line.at, f"{titles[line.source_id]}: {told.what}", told.tone, told.details)
    yield from _deliveries(titles, {line.provider_message_id: line.source_id for line in lines})


def _queued_for(customer: Customer) -> list[Notification]:
    """Return the latest messages to the customer, on either channel."""
    addresses = {customer.email, customer.phone, number_of(customer)} - {""}
    theirs = Q(payload__context__customer_id=customer.pk)
    nobodys = ~Q(payload__has_key="context") | ~Q(payload__context__has_key="customer_id")
    rows = Notification.objects.to_any_of(list(addresses)).filter(theirs | nobodys)
    return list(rows.defer("rendered", "preview").order_by("-pk")[:MOST_EVENTS])


def _title(row: Notification) -> str:
    return f"{title_of(row.type)}, by {'WhatsApp' if row.is_whatsapp else 'e-mail'}"


def _states(row: Notification, title: str) -> Iterator[Event]:
    url = reverse("admin:notifications_notification_change", args=[row.pk])
    yield Event(row.created_at, f"{title}: queued", "off", url=url)
    if row.status in ENDED_UNSENT:
        what = f"{title}: {ENDED_UNSENT[Status(row.status)]}"
        yield Event(row.updated_at, what, "bad", row.last_error or "", url)


def _deliveries(titles: Titles, rows_by_message: dict[str, str]) -> Iterator[Event]:
    """Tell what providers told later; an event names its row, or only the message."""
    ids = [message_id for message_id in rows_by_message if message_id]
    named = Q(source=QUEUE, source_id__in=list(titles)) | Q(provider_message_id__in=ids)
    for event in DeliveryEvent.objects.filter(named).order_by("-occurred_at")[:MOST_EVENTS]:
        key = rows_by_message.get(event.provider_message_id, event.source_id)
        tone = "bad" if event.kind in BAD_NEWS else "good"
        what = f"{titles[key]}: {event.get_kind_display()}"
        yield Event(event.occurred_at, what, tone, event.detail)
