"""The register of a class: a page on which staff mark who came, and the same as a CSV file."""

import csv
import io
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.html import format_html

from bookings.admin_base import TONES_OF_STATUS
from bookings.models import ClassSession, Enrolment
from bookings.sessions import Attendance, why_not_marked
from egac.console.records import badge
from egac.csv_files import harmless
from egac.staff import Seen, instant_of

COLUMNS = ("customer", "email", "phone", "booking", "access", "attendance", "marked_by")


def roster(session: ClassSession) -> QuerySet[Enrolment]:
    """Return who has a place in the class, by name."""
    places = session.enrolments.select_related("booking__customer", "booking__package")
    return places.order_by("booking__customer__name", "pk")


def roster_cells(place: Enrolment) -> list[Any]:
    """Return one line of the roster as a page shows it."""
    booking = place.booking
    url = reverse("admin:bookings_booking_change", args=[booking.pk])
    return [
        format_html('<a href="{}">{}</a>', url, booking.customer),
        booking.customer.phone or "–",
        badge(booking.get_access_status_display(), TONES_OF_STATUS[booking.access_status]),
        badge(place.get_attendance_display(), TONES_OF_STATUS[place.attendance]),
    ]


def register_lines(session: Any) -> list[dict[str, Any]]:
    """Return what the register's form shows of each place."""
    return [
        {
            "place": place,
            "customer": place.booking.customer,
            "access": roster_cells(place)[2],
            "shown": f"{place.attendance}@{place.updated_at.isoformat()}",
            "choices": [
                (value, label, value == place.attendance) for value, label in Attendance.choices
            ],
        }
        for place in roster(session)
    ]


def why_closed(session: Any) -> str:
    """Return why nobody can be marked in a row of `sessions_by_the_clock` yet, or ""."""
    place = Enrolment(session=session)
    place.has_begun = session.has_begun  # type: ignore[attr-defined]
    why = why_not_marked(place, Attendance.ATTENDED)
    return f"Nobody can be marked: they are {why}." if why else ""


def posted_marks(posted: QueryDict) -> tuple[dict[int, Attendance], Seen]:
    """Return the marks that were changed on the page, and when each row had last changed there."""
    marks: dict[int, Attendance] = {}
    seen = {}
    for name, shown in posted.items():
        start, _, number = name.partition("-")
        if start != "shown" or not number.isdecimal():
            continue
        was, _, version = str(shown).partition("@")
        mark = posted.get(f"mark-{number}", was)
        if mark != was and mark in Attendance.values:
            marks[int(number)] = Attendance(mark)
            seen[int(number)] = instant_of(version)
    return marks, seen


def register_file(session: ClassSession) -> HttpResponse:
    """Return the register as a CSV file; what a spreadsheet would run is made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for place in roster(session):
        customer, booking = place.booking.customer, place.booking
        cells = (
            customer.name,
            customer.email,
            customer.phone,
            booking.title,
            booking.access_status,
            place.attendance,
            place.changed_by,
        )
        writer.writerow([harmless(cell) for cell in cells])
    answer = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="register-{session.pk}.csv"'
    return answer
