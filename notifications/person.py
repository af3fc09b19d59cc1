"""What the queue knows of somebody: every message to their addresses and numbers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from egac.console.correspondence import Message, latest, standings, what_became_of
from egac.console.pages import Event, staff_actions_on_all
from egac.people import MOST_FOUND, Asked, Entry, Identity, Told
from notifications.catalogue import title_of
from notifications.models import Notification
from notifications.staff import as_they_stand

Status = Notification.Status
TABLE = Notification._meta.db_table
ENDED_UNSENT = {Status.FAILED: "failed", Status.CANCELLED: "not sent"}
LARGEST_ID = 2**31 - 1


class Recipients:
    """Who is written to: for another program's messages nobody else may know them."""

    permission = "notifications.view_notification"

    def search(self, asked: Asked, *, most: int = MOST_FOUND) -> list[Entry]:
        """Return the recipient of the message with this id, and one message to the address."""
        if asked.words:
            return []
        keyed = [entry] if (entry := self.named(asked.key)) else []
        reach = [each for each in (asked.address, asked.number) if each]
        sent = Notification.objects.to_any_of(reach).order_by()[:1] if reach else ()
        return keyed + [_entry(row) for row in sent]

    def reached_at(self, addresses: Iterable[str], numbers: Iterable[str]) -> list[Entry]:
        """Return nobody: a message names a person, and is none."""
        return []

    def named(self, key: str) -> Entry | None:
        """Return the recipient of a message, or None."""
        if not key.isdecimal() or int(key) > LARGEST_ID:
            return None
        row = Notification.objects.filter(pk=key).first()
        return _entry(row) if row and row.recipient else None


def _entry(row: Notification) -> Entry:
    is_address = "@" in row.recipient
    return Entry(
        kind="notification",
        key=str(row.pk),
        name="",
        email=row.recipient if is_address else "",
        phone="" if is_address else row.recipient,
        since=row.created_at,
        page=_page(row),
    )


def messages_of(person: Identity, now: datetime) -> Told:
    """Tell every message to them, each attempt, and what the provider told of it later."""
    rows, left_out = latest(queued_for(person))
    messages = {str(row.pk): Message(_title(row), _page(row)) for row in rows}
    told = standings(rows, now)
    events = [event for row in rows for event in _states(row, messages[str(row.pk)], told[row.pk])]
    events += [*what_became_of(TABLE, messages), *staff_actions_on_all(Notification, messages)]
    return Told(events, left_out)


def queued_for(person: Identity) -> QuerySet[Any]:
    """Return the messages to somebody, the latest first.

    One that names a customer is theirs alone, where several share the address.
    """
    written = {entry.phone.strip() for entry in person.entries} - {""}
    rows = as_they_stand().to_any_of([*person.addresses, *person.numbers, *written])
    if customers := person.keys("customer"):
        theirs = Q(payload__context__customer_id__in=[int(key) for key in customers])
        nobodys = ~Q(payload__has_key="context") | ~Q(payload__context__has_key="customer_id")
        rows = rows.filter(theirs | nobodys)
    return rows.order_by("-pk")


def _states(row: Notification, message: Message, standing: str) -> Iterator[Event]:
    """Tell that a message was queued, and where it stands unless it was sent."""
    has_ended = row.status in (Status.COMPLETED, *ENDED_UNSENT)
    why_not_yet = "" if has_ended else standing
    yield Event(row.created_at, f"{message.title}: queued", "off", why_not_yet, message.url)
    if row.status in ENDED_UNSENT:
        what = f"{message.title}: {ENDED_UNSENT[Status(row.status)]}"
        yield Event(row.updated_at, what, "bad", standing, message.url)


def _title(row: Notification) -> str:
    return f"{title_of(row.type)}, by {'WhatsApp' if row.is_whatsapp else 'e-mail'}"


def _page(row: Notification) -> str:
    return reverse("admin:notifications_notification_change", args=[row.pk])
