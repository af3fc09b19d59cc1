"""Whether a message about a booking or a class still has a point, asked just before it is sent."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField

from bookings.models import Booking, ClassSession
from bookings.sessions import places_in, sessions_by_the_clock

NO_PLACE = "The booking was cancelled, or its place in the class was given up."

Context = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What messages about classes are about, each by its id."""

    sessions: Mapping[int, Any]
    places: Set[tuple[int, int]]  # a class and a customer who has a place in it


def bookings_named(contexts: Sequence[Context]) -> dict[int, Booking]:
    """Return the bookings that the contexts name as `booking_id`."""
    return Booking.objects.only("status", "access_status").in_bulk(_ids(contexts, "booking_id"))


def classes_named(contexts: Sequence[Context]) -> Found:
    """Return the classes that the contexts name as `session_id`, and who has a place in them."""
    sessions = sessions_by_the_clock().in_bulk(_ids(contexts, "session_id"))
    customers = _ids(contexts, "customer_id")
    places = places_in(sessions).filter(booking__customer__in=customers)
    return Found(sessions, set(places.values_list("session", "booking__customer")))


def _ids(contexts: Sequence[Context], name: str) -> set[int]:
    """Return what can be an id: a context may say anything, and one must not break the others."""
    largest = BigIntegerField.MAX_BIGINT
    told = (context.get(name) for context in contexts)
    return {each for each in told if isinstance(each, int) and 0 < each <= largest}


def why_booking_fell(context: Context, bookings: Mapping[int, Booking]) -> str | None:
    """Answer for a message about the booking that its context names as `booking_id`."""
    booking = bookings.get(context.get("booking_id", 0))
    if booking is None:
        return "The booking is gone."
    return "The booking was cancelled." if booking.status == Booking.Status.CANCELLED else None


def why_class_fell(context: Context, found: Found) -> str | None:
    """Answer for a message about the class `session_id`, to `customer_id` where it names one."""
    session = found.sessions.get(context.get("session_id", 0))
    if session is None:
        return "The class is gone."
    if session.status == ClassSession.Status.CANCELLED:
        return "The class was cancelled."
    if session.is_over:
        return "The class is over."
    if "customer_id" not in context:
        return None  # its instructor is told
    return None if (session.pk, context["customer_id"]) in found.places else NO_PLACE
