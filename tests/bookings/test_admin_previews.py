"""What staff read before many customers are written to: who would be told, and in which words."""

from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking, ClassSession
from egac.models import Suppression
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, CustomerFactory, EnrolmentFactory, class_in
from tests.bookings.staff_pages import BOOKINGS, SESSIONS, ask, confirm, page_of
from tests.staff import login

pytestmark = pytest.mark.django_db

CANCEL, CONFIRM = f"{SESSIONS}cancel/", f"{BOOKINGS}confirm/"
WHY = "The hall is closed for repairs."


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def asked(operator: Client, button: str, *rows: Any) -> str:
    """Return the page that asks."""
    keys = [str(row.pk) for row in rows]
    return page_of(operator.post(button, {"_selected_action": keys}))


def full_class(people: int) -> ClassSession:
    session = class_in(hours=5, title="Relays")
    for _ in range(people):
        EnrolmentFactory.create(session=session)
    return session


def test_before_a_class_is_cancelled_it_shows_who_is_told_and_the_message(operator: Client) -> None:
    session = class_in(hours=5, title="Relays")
    for name in ("Amelia Roe", "Bea Ford"):
        EnrolmentFactory.create(session=session, booking__customer__name=name)

    page = asked(operator, CANCEL, session)

    assert "Amelia Roe, Bea Ford" in page
    assert "2 messages go out, each with the name of who gets it." in page
    assert "a class that you booked is cancelled" in page
    assert "Why: (what you write under Why?)" in page


def test_it_says_whom_no_message_reaches(operator: Client) -> None:
    session = full_class(1)
    mute = CustomerFactory.create(email="", phone="")
    EnrolmentFactory.create(session=session, booking__customer=mute)

    assert "1 of them cannot be told" in asked(operator, CANCEL, session)


def test_it_marks_those_whose_address_is_suppressed(operator: Client) -> None:
    session = full_class(1)
    hushed = CustomerFactory.create(email="Hushed@club.example", phone="")
    EnrolmentFactory.create(session=session, booking__customer=hushed)
    Suppression.objects.create(address="hushed@club.example", reason="complained")

    page = asked(operator, CANCEL, session)

    assert "Hushed@club.example is not written to: complained." in page
    assert page.count("is not written to") == 1
    assert "1 of them cannot be told" in page
    assert "1 message goes out, each with the name of who gets it." in page
    assert "1 more is not sent, as said above." in page


def test_where_every_address_is_suppressed_nobody_is_told(operator: Client) -> None:
    session = class_in(hours=5)
    hushed = CustomerFactory.create(email="hushed@club.example", phone="")
    EnrolmentFactory.create(session=session, booking__customer=hushed)
    Suppression.objects.create(address="hushed@club.example", reason="bounced")

    page = asked(operator, CANCEL, session)

    assert "Nobody is told." in page
    assert "go out" not in page


def test_of_a_class_that_is_over_nobody_is_told_and_nothing_is_typed(operator: Client) -> None:
    session = class_in(hours=-5)
    for _ in range(26):
        EnrolmentFactory.create(session=session)

    page = asked(operator, CANCEL, session)

    assert "Nobody is told." in page
    assert 'name="number"' not in page


def test_above_25_people_their_number_is_typed_though_it_is_one_class(operator: Client) -> None:
    session = full_class(26)
    posted = {**ask(operator, CANCEL, session), "reason": WHY}

    wrong: Any = operator.post(CANCEL, {**posted, "number": "1"})
    assert not Notification.objects.exists()
    told = confirm(operator, CANCEL, posted, number="26")

    assert wrong.context["errors"]["number"].startswith("You typed 1, but it is 26.")
    assert told == "1 cancelled."
    assert Notification.objects.count() == 26


def test_25_people_are_told_without_a_number(operator: Client) -> None:
    session = full_class(25)

    told = confirm(operator, CANCEL, ask(operator, CANCEL, session), reason=WHY)

    assert told == "1 cancelled."


def test_before_bookings_are_confirmed_it_shows_each_confirmation(operator: Client) -> None:
    booking = BookingFactory.create(
        status="pending", customer__name="Amelia Roe", customer__agreed=True
    )

    page = asked(operator, CONFIRM, booking)

    assert booking.customer.email in page
    assert "Hello Amelia Roe" in page
    assert "And by WhatsApp, to " in page
    assert not Notification.objects.exists()


def test_more_than_25_confirmations_are_confirmed_by_their_number(operator: Client) -> None:
    rows = [BookingFactory.create(status="pending") for _ in range(26)]
    posted = ask(operator, CONFIRM, *rows)

    mute: Any = operator.post(CONFIRM, posted)
    told = confirm(operator, CONFIRM, posted, number="26")

    assert mute.context["errors"]["number"].startswith("Type 26 to say")
    assert told == "26 confirmed."
    assert Booking.objects.filter(status="confirmed").count() == 26
