"""Whether a message about a booking or a class still has a point, asked just before it is sent."""

from typing import Any

from bookings.models import Booking, ClassSession
from bookings.sessions import sessions_by_the_clock


def why_booking_fell(context: dict[str, Any]) -> str | None:
    """Answer for a message about the booking that its context names as `booking_id`."""
    booking = Booking.objects.filter(pk=context.get("booking_id", 0)).only("status").first()
    if booking is None:
        return "The booking is gone."
    return "The booking was cancelled." if booking.status == Booking.Status.CANCELLED else None


def why_class_fell(context: dict[str, Any]) -> str | None:
    """Answer for a message about the class `session_id`, and its booking where it has one."""
    session = sessions_by_the_clock().filter(pk=context.get("session_id", 0)).first()
    if session is None:
        return "The class is gone."
    if session.status == ClassSession.Status.CANCELLED:
        return "The class was cancelled."
    if session.is_over:
        return "The class is over."
    return why_booking_fell(context) if "booking_id" in context else None
