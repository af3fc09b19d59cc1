"""What bookings tell of somebody: their bookings, their classes, what staff did."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from bookings.models import Booking, BookingEvent, ClassSession, Customer, Enrolment
from egac.console.correspondence import latest
from egac.console.pages import Event, staff_actions_on_all
from egac.people import Identity, Told

TONES_OF_KINDS: dict[str, str] = {
    BookingEvent.Kind.MADE: "off",
    BookingEvent.Kind.ADOPTED: "off",
    BookingEvent.Kind.CONFIRMED: "good",
    BookingEvent.Kind.CANCELLED: "bad",
    BookingEvent.Kind.ACCESS: "moving",
    BookingEvent.Kind.WAIVED: "off",
}
EXPECTED = Enrolment.Attendance.EXPECTED
TONES_OF_ATTENDANCE: dict[str, str] = {
    EXPECTED: "moving",
    Enrolment.Attendance.ATTENDED: "good",
    Enrolment.Attendance.MISSED: "bad",
}


def customers_of(person: Identity, now: datetime) -> Told:
    """Tell since when they are customers, and what staff changed of that."""
    keys = person.keys("customer")
    since = [
        Event(entry.since, "Became a customer", "off", entry.name, entry.page)
        for entry in person.entries
        if entry.kind == "customer"
    ]
    return Told([*since, *staff_actions_on_all(Customer, keys)])


def bookings_of(person: Identity, now: datetime) -> Told:
    """Tell what became of each booking."""
    events = BookingEvent.objects.filter(booking__customer__in=person.keys("customer"))
    events = events.select_related("booking__package").order_by("-at", "-pk")
    lines, left_out = latest(events)
    told = [
        line_of(event, f"{event.booking.title}: {event}", _page(event.booking_id))
        for event in lines
    ]
    bookings = {event.booking_id for event in lines}
    return Told([*told, *staff_actions_on_all(Booking, bookings)], left_out)


def line_of(event: BookingEvent, what: str, url: str = "") -> Event:
    """Return a line of a booking's history as one of a timeline."""
    details = " · ".join(part for part in (event.actor, event.why) if part)
    return Event(event.at, what, TONES_OF_KINDS[event.kind], details, url)


def classes_of(person: Identity, now: datetime) -> Told:
    """Tell which classes they came to, missed, or are expected in."""
    places = Enrolment.objects.filter(booking__customer__in=person.keys("customer"))
    places = places.select_related("session").order_by("-session__starts_at", "-pk")
    shown, left_out = latest(places)
    actions = staff_actions_on_all(Enrolment, (place.pk for place in shown))
    events = [event for place in shown for event in _in_class(place)]
    return Told([*events, *actions], left_out)


def _in_class(place: Enrolment) -> Iterator[Event]:
    """Tell of a class whether they came, and who said that it took place or does not."""
    session = place.session
    url = reverse("admin:bookings_classsession_change", args=[session.pk])
    if session.status == ClassSession.Status.CANCELLED:
        what = f"{session.title}: the class was cancelled"
        yield Event(session.starts_at, what, "off", session.closed_because, url)
    else:
        what = f"{session.title}: {place.get_attendance_display()}"
        by = "" if place.attendance == EXPECTED else place.changed_by
        yield Event(session.starts_at, what, TONES_OF_ATTENDANCE[place.attendance], by, url)
    if session.closed_at:
        noted = f"noted by {session.closed_by or 'somebody'}"
        what = f"{session}: {session.get_status_display()} ({noted})"
        yield Event(session.closed_at, what, "off", session.closed_because, url)


def _page(booking: int) -> str:
    return reverse("admin:bookings_booking_change", args=[booking])
