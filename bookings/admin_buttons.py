"""The buttons of bookings, classes and attendance: what each says and whom it would touch."""

from bookings.consent import number_of
from bookings.models import Booking, ClassSession, Customer, Enrolment
from bookings.notices import can_have_email, can_have_whatsapp
from egac.console.actions import Line, StaffAction
from egac.days import instant_in_words

CONFIRM = StaffAction(
    "confirm",
    "Confirm",
    "bookings.confirm_booking",
    "Each customer gets a confirmation by e-mail, and by WhatsApp if they agreed to it.",
    sends=True,
    asks_number=True,
)
CANCEL_BOOKING = StaffAction(
    "cancel",
    "Cancel",
    "bookings.cancel_booking",
    "They are billed no more and give up their places in classes to come. What was queued about "
    "them is not sent. The customers are not told.",
    needs_reason=True,
    is_drastic=True,
    reason_help="It stands in the booking's history, for example “moved away”.",
)
COMPLETE = StaffAction(
    "complete",
    "It took place",
    "bookings.complete_classsession",
    "They are noted as having taken place. Nobody is written to.",
)
CANCEL_SESSION = StaffAction(
    "cancel",
    "Cancel and tell everyone booked",
    "bookings.cancel_classsession",
    "Everyone with a place gets a message by e-mail, and by WhatsApp if they agreed to it. Of a "
    "class that is over nobody is told. It cannot be undone.",
    needs_reason=True,
    is_drastic=True,
    sends=True,
    asks_number=True,
    reason_help="Everyone booked reads it, for example “The hall is closed for repairs.”",
)
ATTENDED = StaffAction(
    "attended", "Attended", "bookings.mark_enrolment", "They are noted as having come."
)
MISSED = StaffAction(
    "missed", "Missed", "bookings.mark_enrolment", "They are noted as not having come."
)
TAKE_BACK = StaffAction(
    "take_back",
    "Take back",
    "bookings.delete_enrolment",
    "They lose their places in these classes. Nobody is written to.",
    is_drastic=True,
    removes=True,
    reason_help="It stands in the history of the class and of the booking, for example “given to "
    "the wrong twin”.",
)

UNREACHABLE = "Nobody can be told: there is neither an address nor an agreed number."


def line_of_booking(action: StaffAction, booking: Booking) -> Line:
    """Return whose booking it is, and whether a confirmation would reach them."""
    warning = why_unreachable(booking.customer) if action is CONFIRM else ""
    return Line(str(booking.customer), booking.title, warning)


def line_of_session(action: StaffAction, session: ClassSession, told: int) -> Line:
    """Return which class it is, and how many people would be told."""
    subject = instant_in_words(session.starts_at)
    if action is CANCEL_SESSION:
        people = "1 person is" if told == 1 else f"{told} people are"
        subject = f"{subject}. {people} booked."
    return Line(session.title, subject)


def line_of_enrolment(enrolment: Enrolment) -> Line:
    """Return who it is, and in which class."""
    session = enrolment.session
    return Line(
        str(enrolment.booking.customer), f"{session.title}, {instant_in_words(session.starts_at)}"
    )


def why_unreachable(customer: Customer) -> str:
    """Return that no channel reaches the customer, as a sentence, or ""."""
    reached = can_have_email(customer) or can_have_whatsapp(customer)
    return "" if reached else UNREACHABLE


def whatsapp_in_words(customer: Customer) -> str:
    """Return whether WhatsApp reaches the customer, and why not."""
    if customer.whatsapp_opted_in_at is None:
        return "did not agree"
    return "agreed" if number_of(customer) else "agreed, but the number cannot be written to"
