"""Messages that a press would queue, as the page that asks shows them: to whom, and which words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.urls import reverse

from bookings.booking import confirmations
from bookings.models import Booking, ClassSession, Customer
from bookings.sessions import cancellations, customers_booked
from egac.console.actions import Line
from egac.console.message_parts import parts_of
from egac.console.preview import Preview
from egac.delivery import not_written_to, suppressed_among
from notifications.models import Notification
from notifications.services import Message

WHAT_YOU_WRITE = "(what you write under Why?)"
MOST_NAMED = 200  # of those who are told; of the others only how many they are


def with_confirmations(
    lines: Sequence[Line], bookings: Sequence[Booking], *, now: datetime
) -> list[Line]:
    """Return the lines of these bookings, each with what its customer would get."""
    queued: dict[int, list[Message]] = {}
    for message in confirmations([booking.pk for booking in bookings], now=now):
        queued.setdefault(message.payload["context"]["booking_id"], []).append(message)
    return [
        replace(line, preview=_of_one(booking, queued.get(booking.pk, [])))
        for line, booking in zip(lines, bookings, strict=True)
    ]


def _of_one(booking: Booking, messages: Sequence[Message]) -> Preview:
    url = reverse("admin:bookings_booking_change", args=[booking.pk])
    if not messages:
        return Preview(url, {})
    first, *others = messages
    also = [f"And by WhatsApp, to {message.payload['to']}." for message in others]
    return Preview(url, parts_of(rendered(first)), note=" ".join(also))


def with_cancellations(lines: Sequence[Line], sessions: Sequence[Any]) -> list[Line]:
    """Return the lines of these rows of `sessions_by_the_clock`, each with what its people get."""
    pairs = zip(lines, sessions, strict=True)
    return [_with_cancellation(line, session) for line, session in pairs]


def _with_cancellation(line: Line, session: Any) -> Line:
    people = [] if session.is_over else list(customers_booked(session).order_by("name", "pk"))
    messages = cancellations(session, because=WHAT_YOU_WRITE) if people else []
    warning = " ".join([_unreached(people, messages), *_suppressed(messages)]).strip()
    return replace(line, warning=warning, preview=_of_all(session, people, messages))


def _of_all(
    session: ClassSession, people: Sequence[Customer], messages: Sequence[Message]
) -> Preview:
    url = reverse("admin:bookings_classsession_change", args=[session.pk])
    if not messages:
        return Preview(url, {}, note="Nobody is told.")
    named = ", ".join(str(person) for person in people[:MOST_NAMED])
    more = f" and {len(people) - MOST_NAMED} more" if len(people) > MOST_NAMED else ""
    parts = parts_of(rendered(messages[0]))
    count = "1 message goes" if len(messages) == 1 else f"{len(messages)} messages go"
    note = f"{count} out, each with the name of who gets it. Below is the first."
    return Preview(url, {"Who is booked": f"{named}{more}", **parts}, note=note)


def _unreached(people: Sequence[Customer], messages: Sequence[Message]) -> str:
    """Return how many of those booked no message reaches, as a sentence, or ""."""
    reached = {message.payload["context"]["customer_id"] for message in messages}
    mute = [person for person in people if person.pk not in reached]
    if not mute:
        return ""
    return f"{len(mute)} of them cannot be told: neither an address nor an agreed number."


def _suppressed(messages: Sequence[Message]) -> list[str]:
    """Return of each address that must not be written to why its message will not go."""
    addresses = [message.payload["to"] for message in messages]
    reasons = suppressed_among(set(addresses))
    return [
        not_written_to(address, reasons[address.lower()])
        for address in addresses
        if address.lower() in reasons
    ]


def rendered(message: Message) -> dict[str, object]:
    """Return a message as the queue would send it."""
    return Notification(type=message.type, payload=dict(message.payload)).render()
