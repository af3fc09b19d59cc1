"""The verbs of bookings; each topic has a module of its own."""

from bookings.access import Move, move_access
from bookings.booking import (
    Refused,
    cancel_bookings,
    confirm_bookings,
    make_booking,
)
from bookings.concerned import register_note
from bookings.enrolling import enrol
from bookings.finding import of_customers_found
from bookings.notices import (
    BOOKING_STANDS,
    CHANNELS,
    CLASS_IS_AHEAD,
    Notice,
    can_have_email,
    can_have_whatsapp,
    messages_to,
)
from bookings.relevance import bookings_named
from bookings.seeding import seed_demo
from bookings.sessions import (
    cancel_sessions,
    complete_sessions,
    mark_attendance,
    mark_register,
)
from bookings.zoom import schedule_meetings

__all__ = [
    "BOOKING_STANDS",
    "CHANNELS",
    "CLASS_IS_AHEAD",
    "Move",
    "Notice",
    "Refused",
    "bookings_named",
    "can_have_email",
    "can_have_whatsapp",
    "cancel_bookings",
    "cancel_sessions",
    "complete_sessions",
    "confirm_bookings",
    "enrol",
    "make_booking",
    "mark_attendance",
    "mark_register",
    "messages_to",
    "of_customers_found",
    "move_access",
    "register_note",
    "schedule_meetings",
    "seed_demo",
]
