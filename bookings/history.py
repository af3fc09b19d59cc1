"""What bookings tell a customer's timeline: their bookings, their classes, what staff did."""

from collections.abc import Iterator

from django.urls import reverse

from bookings.models import BookingEvent, ClassSession, Customer, Enrolment
from bookings.timeline import MOST_EVENTS
from egac.admin_pages import Event, staff_actions_on

TONES_OF_KINDS: dict[str, str] = {
    BookingEvent.Kind.MADE: "off",
    BookingEvent.Kind.ADOPTED: "off",
    BookingEvent.Kind.CONFIRMED: "good",
    BookingEvent.Kind.CANCELLED: "bad",
    BookingEvent.Kind.ACCESS: "moving",
    BookingEvent.Kind.WAIVED: "off",
}
TONES_OF_ATTENDANCE: dict[str, str] = {
    Enrolment.Attendance.EXPECTED: "moving",
    Enrolment.Attendance.ATTENDED: "good",
    Enrolment.Attendance.MISSED: "bad",
}


def bookings_of(customer: Customer) -> Iterator[Event]:
    """Tell what became of each booking."""
    events = BookingEvent.objects.filter(booking__customer=customer)
    events = events.select_related("booking__package").order_by("-at", "-pk")
    for event in events[:MOST_EVENTS]:
        url = reverse("admin:bookings_booking_change", args=[event.booking_id])
        yield line_of(event, f"{event.booking.title}: {event}", url)


def line_of(event: BookingEvent, what: str, url: str = "") -> Event:
    """Return a line of a booking's history as one of a timeline."""
    details = " · ".join(part for part in (event.actor, event.why) if part)
    return Event(event.at, what, TONES_OF_KINDS[event.kind], details, url)


def classes_of(customer: Customer) -> Iterator[Event]:
    """Tell which classes they came to, missed, or are expected in."""
    places = Enrolment.objects.filter(booking__customer=customer).select_related("session")
    for place in places.order_by("-session__starts_at", "-pk")[:MOST_EVENTS]:
        url = reverse("admin:bookings_classsession_change", args=[place.session_id])
        session = place.session
        if session.status == ClassSession.Status.CANCELLED:
            what = f"{session.title}: the class was cancelled"
            yield Event(session.starts_at, what, "off", session.closed_because, url)
            continue
        what = f"{session.title}: {place.get_attendance_display()}"
        yield Event(session.starts_at, what, TONES_OF_ATTENDANCE[place.attendance], url=url)


def actions_on(customer: Customer) -> Iterator[Event]:
    """Tell what staff changed of the customer."""
    return staff_actions_on(customer)
