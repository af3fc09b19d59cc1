"""The verbs of bookings; each topic has a module of its own."""

from bookings.access import Move, move_access
from bookings.booking import (
    Refused,
    cancel_bookings,
    confirm_bookings,
    make_booking,
)
from bookings.notices import (
    BOOKING_STANDS,
    CHANNELS,
    CLASS_IS_AHEAD,
    Notice,
    can_have_whatsapp,
    messages_to,
)
from bookings.sessions import (
    cancel_sessions,
    complete_sessions,
    enrol,
    mark_attendance,
)
from bookings.timeline import MOST_EVENTS, add_to_timeline

__all__ = [
    "BOOKING_STANDS",
    "CHANNELS",
    "CLASS_IS_AHEAD",
    "MOST_EVENTS",
    "Move",
    "Notice",
    "Refused",
    "add_to_timeline",
    "can_have_whatsapp",
    "cancel_bookings",
    "cancel_sessions",
    "complete_sessions",
    "confirm_bookings",
    "enrol",
    "make_booking",
    "mark_attendance",
    "messages_to",
    "move_access",
]
