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
    whys = _whys_not_sent(messages)
    going = [message for message in messages if message.key not in whys]
    warning = " ".join([_untold(people, going), *whys.values()]).strip()
    preview = _of_all(session, people, going, unsent=len(whys))
    return replace(line, warning=warning, preview=preview)


def _of_all(
    session: ClassSession, people: Sequence[Customer], going: Sequence[Message], *, unsent: int
) -> Preview:
    url = reverse("admin:bookings_classsession_change", args=[session.pk])
    if not going:
        return Preview(url, {}, note="Nobody is told.")
    named = ", ".join(str(person) for person in people[:MOST_NAMED])
    more = f" and {len(people) - MOST_NAMED} more" if len(people) > MOST_NAMED else ""
    parts = {"Who is booked": f"{named}{more}", **parts_of(rendered(going[0]))}
    return Preview(url, parts, note=_how_many_go(len(going), unsent))


def _how_many_go(going: int, unsent: int) -> str:
    """Return how many messages go out and how many do not, in sentences."""
    count = "1 message goes" if going == 1 else f"{going} messages go"
    told = f"{count} out, each with the name of who gets it. Below is the first."
    if not unsent:
        return told
    return f"{told} {unsent} more {'is' if unsent == 1 else 'are'} not sent, as said above."


def _untold(people: Sequence[Customer], going: Sequence[Message]) -> str:
    """Return how many of those booked no message reaches, as a sentence, or ""."""
    told = {message.payload["context"]["customer_id"] for message in going}
    count = sum(person.pk not in told for person in people)
    if not count:
        return ""
    return f"{count} of them cannot be told: no address or agreed number that may be written to."


def _whys_not_sent(messages: Sequence[Message]) -> dict[str, str]:
    """Return of each message to an address that must not be written to why it does not go."""
    reasons = suppressed_among({message.payload["to"] for message in messages})
    return {
        message.key: not_written_to(to, reasons[to.lower()])
        for message in messages
        if (to := message.payload["to"]).lower() in reasons
    }


def rendered(message: Message) -> dict[str, object]:
    """Return a message as the queue would send it."""
    return Notification(type=message.type, payload=dict(message.payload)).render()
