"""What bookings tell of somebody: their bookings, their classes, what staff did."""

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
TONES_OF_ATTENDANCE: dict[str, str] = {
    Enrolment.Attendance.EXPECTED: "moving",
    Enrolment.Attendance.ATTENDED: "good",
    Enrolment.Attendance.MISSED: "bad",
}


def customers_of(person: Identity) -> Told:
    """Tell since when they are customers, and what staff changed of that."""
    keys = person.keys("customer")
    since = [
        Event(entry.since, "Became a customer", "off", entry.name, entry.page)
        for entry in person.entries
        if entry.kind == "customer"
    ]
    return Told([*since, *staff_actions_on_all(Customer, keys)])


def bookings_of(person: Identity) -> Told:
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


def classes_of(person: Identity) -> Told:
    """Tell which classes they came to, missed, or are expected in."""
    places = Enrolment.objects.filter(booking__customer__in=person.keys("customer"))
    places = places.select_related("session").order_by("-session__starts_at", "-pk")
    shown, left_out = latest(places)
    actions = staff_actions_on_all(Enrolment, (place.pk for place in shown))
    return Told([*map(_in_class, shown), *actions], left_out)


def _in_class(place: Enrolment) -> Event:
    url = reverse("admin:bookings_classsession_change", args=[place.session_id])
    session = place.session
    if session.status == ClassSession.Status.CANCELLED:
        what = f"{session.title}: the class was cancelled"
        return Event(session.starts_at, what, "off", session.closed_because, url)
    what = f"{session.title}: {place.get_attendance_display()}"
    return Event(session.starts_at, what, TONES_OF_ATTENDANCE[place.attendance], url=url)


def _page(booking: int) -> str:
    return reverse("admin:bookings_booking_change", args=[booking])
