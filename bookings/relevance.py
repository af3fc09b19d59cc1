"""Whether a message about a booking or a class still has a point, asked just before it is sent."""

from typing import Any

from bookings.models import Booking, ClassSession
from bookings.sessions import customers_booked, sessions_by_the_clock

NO_PLACE = "The booking was cancelled, or its place in the class was given up."


def why_booking_fell(context: dict[str, Any]) -> str | None:
    """Answer for a message about the booking that its context names as `booking_id`."""
    booking = Booking.objects.filter(pk=context.get("booking_id", 0)).only("status").first()
    if booking is None:
        return "The booking is gone."
    return "The booking was cancelled." if booking.status == Booking.Status.CANCELLED else None


def why_class_fell(context: dict[str, Any]) -> str | None:
    """Answer for a message about the class `session_id`, to `customer_id` where it names one."""
    session = sessions_by_the_clock().filter(pk=context.get("session_id", 0)).first()
    if session is None:
        return "The class is gone."
    if session.status == ClassSession.Status.CANCELLED:
        return "The class was cancelled."
    if session.is_over:
        return "The class is over."
    if "customer_id" not in context:
        return None  # its instructor is told
    is_booked = customers_booked(session).filter(pk=context["customer_id"]).exists()
    return None if is_booked else NO_PLACE
