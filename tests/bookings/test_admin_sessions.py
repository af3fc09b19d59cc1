"""Classes in the admin: the roster, what took place, what is called off, what is typed."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.booking import note_event
from bookings.models import BookingEvent, ClassSession, Enrolment
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, EnrolmentFactory, class_in
from tests.bookings.staff_pages import (
    BOOKINGS,
    PLACES,
    SESSIONS,
    errors_of,
    message_of,
    page_of,
    press,
)
from tests.staff import login

pytestmark = pytest.mark.django_db

CANCEL, COMPLETE = f"{SESSIONS}cancel/", f"{SESSIONS}complete/"
TAKE_BACK = f"{PLACES}take-back/"


@pytest.fixture
def operator() -> Client:
    return login("Operators")


# The list and the page


def test_the_list_counts_places_and_who_came(operator: Client) -> None:
    session = class_in(title="Relays")
    EnrolmentFactory.create(session=session, attendance="attended")
    EnrolmentFactory.create(session=session)

    (row,) = operator.get(SESSIONS).context["cl"].result_list

    assert (row.title, row.places, row.attended) == ("Relays", 2, 1)


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    operator: Client,
) -> None:
    EnrolmentFactory.create()
    with CaptureQueriesContext(connection) as few:
        operator.get(SESSIONS)
    for _ in range(20):
        EnrolmentFactory.create()

    with CaptureQueriesContext(connection) as many:
        operator.get(SESSIONS)

    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("when", "shown"), [("ahead", 2), ("week", 1), ("behind", 3), ("unnoted", 1), ("", 5)]
)
def test_the_list_is_filtered_by_time(operator: Client, when: str, shown: int) -> None:
    for hours in (-0.5, -2, 5, 24 * 8):
        class_in(hours)
    class_in(-50, status="completed")

    answer = operator.get(f"{SESSIONS}?when={when}")

    assert answer.context["cl"].result_count == shown


def test_the_host_link_stands_on_no_page(operator: Client) -> None:
    session = class_in(online=True, meeting_id=7, host_link="https://zoom.example/s/7?zak=secret")

    pages = [
        operator.get(SESSIONS),
        operator.get(f"{SESSIONS}{session.pk}/change/"),
        operator.get(f"{SESSIONS}{session.pk}/edit/"),
        operator.post(f"{SESSIONS}export/", {"format": "0", "resource": ""}),
    ]

    assert all(answer.status_code == 200 for answer in pages)
    assert not any("zak=secret" in answer.content.decode() for answer in pages)


def test_the_page_shows_the_roster(operator: Client) -> None:
    session = class_in()
    EnrolmentFactory.create(
        session=session,
        booking__customer__name="Zoë Hart",
        booking__customer__phone="07700 900123",
        booking__access_status="overdue_locked",
    )

    page = page_of(operator.get(f"{SESSIONS}{session.pk}/change/"))

    assert "Zoë Hart" in page
    assert "07700 900123" in page
    assert "</span>overdue, locked" in page


# The buttons


def test_cancelling_says_how_many_are_booked_and_asks_what_to_tell_them(operator: Client) -> None:
    session = class_in(hours=5)
    EnrolmentFactory.create(session=session)
    EnrolmentFactory.create(session=session)

    page = page_of(operator.post(CANCEL, {"_selected_action": [session.pk]}))

    assert "2 people are booked." in page
    assert "Everyone booked reads it" in page


def test_a_cancelled_class_tells_everyone(operator: Client) -> None:
    place = EnrolmentFactory.create(session=class_in(hours=5))

    message = press(operator, CANCEL, place.session, reason="The hall is closed.")

    assert message == "1 cancelled."
    row = Notification.objects.get()
    assert row.payload["context"]["cancelled_because"] == "The hall is closed."


def test_a_class_is_noted_as_having_taken_place(operator: Client) -> None:
    over, ahead = class_in(), class_in(hours=5)

    answer = operator.post(COMPLETE, {"_selected_action": [over.pk, ahead.pk]})
    message = press(operator, COMPLETE, over)

    assert "Will be skipped: 1 not begun yet." in page_of(answer)
    assert message == "1 noted as having taken place."


def test_places_are_marked_from_their_list(operator: Client) -> None:
    place, ahead = (EnrolmentFactory.create(session=class_in(hours)) for hours in (-2, 5))

    answer = operator.post(f"{PLACES}missed/", {"_selected_action": [place.pk, ahead.pk]})
    message = press(operator, f"{PLACES}missed/", place)

    assert "Will be skipped: 1 in a class that has not begun." in page_of(answer)
    assert message == "1 marked as missed."


# Added and changed by hand


def typed(**more: str) -> dict[str, str]:
    """Return what the form of a class posts."""
    return {
        "title": "Relays",
        "starts_at": "2026-12-01T18:30",
        "ends_at": "2026-12-01T19:30",
        **more,
    }


def test_a_class_is_added_by_hand(operator: Client) -> None:
    operator.post(f"{SESSIONS}add/", typed())

    session = ClassSession.objects.get()
    assert (session.title, session.status) == ("Relays", "scheduled")
    assert session.starts_at.isoformat() == "2026-12-01T18:30:00+00:00"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ends_at": "2026-12-01T18:30"}, "It has to end after it starts."),
        ({"ends_at": "2026-12-02T19:30"}, "No class is longer than 12 hours"),
        ({"ends_at": "", "is_online": "on"}, "A class online needs an end"),
        ({"starts_at": "0202-12-01T18:30"}, "greater than or equal to 1900-01-01"),
        ({"title": ""}, "This field is required"),
    ],
)
def test_a_class_that_cannot_be_is_refused(
    operator: Client, change: dict[str, str], error: str
) -> None:
    answer = operator.post(f"{SESSIONS}add/", typed(**change))

    assert error in errors_of(answer)
    assert not ClassSession.objects.exists()


def test_the_time_of_a_class_with_a_meeting_stays(operator: Client) -> None:
    session = class_in(hours=5, online=True, meeting_id=7)
    session.refresh_from_db()
    posted = typed(is_online="on", seen=session.updated_at.isoformat())

    answer = operator.post(f"{SESSIONS}{session.pk}/edit/", posted)

    assert "Its Zoom meeting is made" in errors_of(answer)


def test_a_place_is_given_by_hand_once(operator: Client) -> None:
    session, booking = class_in(hours=5), BookingFactory.create()
    posted = {"session": session.pk, "booking": booking.pk}

    first = operator.post(f"{PLACES}add/", posted, follow=True)
    second = operator.post(f"{PLACES}add/", posted)

    assert "was added" in message_of(first)
    assert "has a place in that class already" in errors_of(second)
    assert Enrolment.objects.get().changed_by.startswith("operators")


def test_a_locked_booking_gets_no_place(operator: Client) -> None:
    booking = BookingFactory.create(access_status="overdue_locked")

    answer = operator.post(
        f"{PLACES}add/", {"session": class_in(hours=5).pk, "booking": booking.pk}
    )

    assert "This booking is locked" in errors_of(answer)


@pytest.mark.parametrize(("attendance", "left"), [("expected", 0), ("attended", 1)])
def test_a_place_is_taken_back_until_it_is_marked(
    operator: Client, attendance: str, left: int
) -> None:
    place = EnrolmentFactory.create(attendance=attendance)

    told = press(operator, TAKE_BACK, place, reason="The wrong twin.")

    assert Enrolment.objects.count() == left
    assert told == f"{1 - left} taken back."


def test_the_class_and_the_person_tell_who_took_a_place_back_and_why(operator: Client) -> None:
    place = EnrolmentFactory.create(session__title="Relays")
    note_event([place.booking_id], kind=BookingEvent.Kind.MADE, actor="kim")

    press(operator, TAKE_BACK, place, reason="The wrong twin.")

    customer = place.booking.customer
    for page in (
        f"{SESSIONS}{place.session_id}/change/",
        f"{BOOKINGS}{place.booking_id}/change/",
        f"/admin/egac/person/customer-{customer.pk}/",
    ):
        told = page_of(operator.get(page))
        assert f"Take back: 1 of 1, the place of {customer} in Relays" in told, page
        assert "Reason: The wrong twin." in told, page


def test_a_place_that_stands_on_an_invoice_is_not_taken_back(operator: Client) -> None:
    place = EnrolmentFactory.create()
    money = {"unit_price": 42, "tax_percent": 0, "net": 42, "tax": 0}
    InvoiceFactory().lines.create(position=1, description="Relays", enrolment=place, **money)

    told = press(operator, TAKE_BACK, place)

    assert told.startswith("0 taken back. 1 of them stand on an invoice"), told
    assert Enrolment.objects.exists()
