"""Bookings in the admin: made and changed by hand, confirmed, cancelled, and their history."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, Customer
from bookings.services import Move, move_access
from notifications.models import Notification
from tests.bookings.factories import (
    BookingFactory,
    ClassPackageFactory,
    CustomerFactory,
    EnrolmentFactory,
    make_bookings,
)
from tests.bookings.staff_pages import BOOKINGS, ask, confirm, errors_of, message_of, page_of, press
from tests.forms import opened
from tests.staff import login

pytestmark = pytest.mark.django_db

Status = Booking.Status
CONFIRM, CANCEL = f"{BOOKINGS}confirm/", f"{BOOKINGS}cancel/"


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def waiting(**more: Any) -> Booking:
    return BookingFactory.create(status=Status.PENDING, **more)


# The list and the page


def test_the_list_says_status_and_access_in_words(operator: Client) -> None:
    BookingFactory.create(
        customer__name="Zoë Hart",
        package__name="Junior running",
        access_status=Booking.Access.GRACE,
    )

    page = page_of(operator.get(BOOKINGS))

    assert "Zoë Hart" in page
    assert "Junior running (monthly)" in page
    assert "</span>overdue, in grace" in page
    assert "Tuesdays at 18:30 UK time" in page
    assert "£42.00" in page


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    operator: Client,
) -> None:
    make_bookings(3)
    with CaptureQueriesContext(connection) as few:
        operator.get(BOOKINGS)
    make_bookings(40)

    with CaptureQueriesContext(connection) as many:
        operator.get(BOOKINGS)

    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status__exact=confirmed", 1),
        ("access_status__exact=overdue_locked", 1),
        ("plan__exact=per_class", 1),
        ("q=zo%C3%AB", 1),
        ("q=B-17", 1),
        ("q=nobody", 0),
    ],
)
def test_the_list_is_filtered_and_searched(operator: Client, query: str, shown: int) -> None:
    BookingFactory.create(customer__name="Zoë Hart", access_status=Booking.Access.LOCKED)
    waiting(per_class=True, reference="B-17")

    answer = operator.get(f"{BOOKINGS}?{query}")

    assert answer.context["cl"].result_count == shown


def test_the_page_tells_the_history_in_order(operator: Client) -> None:
    booking = waiting()
    press(operator, CONFIRM, booking)
    move_access([Move(booking.pk, "active", "overdue_grace", "8 days late")], actor="a job")

    page = page_of(operator.get(f"{BOOKINGS}{booking.pk}/change/"))

    assert page.index("Confirmed") < page.index("Access moved: active → overdue, in grace")
    assert "a job · 8 days late" in page
    assert "An invoice is overdue" in page


@pytest.mark.parametrize(
    ("terms", "note"),
    [
        ({"price": None}, "It is without a price"),
        ({"billing_anchor_on": None}, "It is monthly and without a billing anchor"),
        ({"customer__email": "", "customer__phone": ""}, "Nobody can be told"),
    ],
)
def test_the_page_says_what_is_missing(operator: Client, terms: dict[str, Any], note: str) -> None:
    booking = waiting(**terms)

    assert note in page_of(operator.get(f"{BOOKINGS}{booking.pk}/change/"))


def test_a_booking_that_is_not_there_is_a_sentence(operator: Client) -> None:
    answer = operator.get(f"{BOOKINGS}4711/change/", follow=True)

    assert message_of(answer) == "There is no such booking."


# The buttons


def test_confirming_tells_both_numbers_and_who_cannot_be_told(operator: Client) -> None:
    rows = [waiting(), waiting(customer__email="", customer__phone=""), BookingFactory.create()]

    page = operator.post(CONFIRM, {"_selected_action": [row.pk for row in rows]})

    assert "Confirm: 2 bookings." in page_of(page).replace("</strong>", "")
    assert "Will be skipped: 1 confirmed already." in page_of(page)
    assert "Nobody can be told" in page_of(page)


def test_confirmed_bookings_are_logged_and_their_messages_wait(operator: Client) -> None:
    rows = [waiting(), waiting()]

    message = press(operator, CONFIRM, *rows)

    assert message == "2 confirmed."
    assert Notification.objects.count() == LogEntry.objects.count() == 2


def test_a_page_that_was_left_open_changes_nothing(operator: Client) -> None:
    booking = waiting()
    posted = ask(operator, CONFIRM, booking)
    Booking.objects.filter(pk=booking.pk).update(updated_at="2026-01-01T00:00:00Z")

    message = confirm(operator, CONFIRM, posted)

    assert message == "0 confirmed. Skipped: 1 changed by somebody else meanwhile."
    assert Booking.objects.get().status == Status.PENDING


def test_cancelling_asks_why_and_keeps_it(operator: Client) -> None:
    booking = BookingFactory.create()

    without = operator.post(CANCEL, ask(operator, CANCEL, booking))
    message = press(operator, CANCEL, booking, reason="moved away")

    assert "Write a reason." in page_of(without)
    assert message == "1 cancelled."
    assert booking.events.get().why == "moved away"


# Added and changed by hand


def typed(customer: Customer, /, **more: Any) -> dict[str, Any]:
    """Return what the form of a monthly booking posts."""
    package = ClassPackageFactory.create()
    return {
        "customer": customer.pk,
        "package": package.pk,
        "plan": "monthly",
        "weekdays": ["2", "4"],
        "starts_at_time": "18:30",
        "billing_anchor_on": "2026-12-01",
        **more,
    }


def test_a_booking_is_added_by_hand_with_its_packages_price(operator: Client) -> None:
    answer = operator.post(f"{BOOKINGS}add/", typed(CustomerFactory.create()), follow=True)

    booking = Booking.objects.get()
    assert "was added" in message_of(answer)
    assert (booking.status, booking.price, booking.currency) == ("pending", Decimal(42), "GBP")
    assert (booking.weekdays, booking.billed_through_on) == ([2, 4], date(2026, 11, 30))
    assert booking.events.get().kind == "made"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"billing_anchor_on": ""}, "A monthly booking needs its first billing date."),
        ({"billing_anchor_on": "0001-01-01"}, "greater than or equal to 1900-01-01"),
        ({"billed_through_on": "9999-12-31"}, "less than or equal to 2099-12-31"),
        ({"price": "-1"}, "greater than or equal to 0"),
        ({"weekdays": ["8"]}, "Select a valid choice"),
        ({"customer": ""}, "This field is required"),
        ({"currency": "EURO"}, "at most 3 characters"),
    ],
)
def test_a_booking_that_cannot_be_is_refused_beside_its_box(
    operator: Client, change: dict[str, Any], error: str
) -> None:
    answer = operator.post(f"{BOOKINGS}add/", typed(CustomerFactory.create(), **change))

    assert error in errors_of(answer)
    assert not Booking.objects.exists()


def test_the_same_booking_is_refused(operator: Client) -> None:
    posted = typed(CustomerFactory.create())
    operator.post(f"{BOOKINGS}add/", posted)

    answer = operator.post(f"{BOOKINGS}add/", posted)

    assert f"number {Booking.objects.get().pk}" in errors_of(answer)


def test_a_changed_price_is_saved_and_stands_in_the_history(operator: Client) -> None:
    booking = BookingFactory.create()
    posted = opened(operator, f"{BOOKINGS}{booking.pk}/edit/")

    operator.post(f"{BOOKINGS}{booking.pk}/edit/", {**posted, "price": "45.00"})

    booking.refresh_from_db()
    assert booking.price == Decimal("45.00")
    page = page_of(operator.get(f"{BOOKINGS}{booking.pk}/change/"))
    assert "Changed Price: 42.00 → 45.00." in page


def test_a_form_that_was_left_open_changes_nothing(operator: Client) -> None:
    booking = BookingFactory.create()
    posted = opened(operator, f"{BOOKINGS}{booking.pk}/edit/")
    Booking.objects.update(price=Decimal("1.00"), updated_at="2026-01-01T00:00:00Z")

    answer = operator.post(f"{BOOKINGS}{booking.pk}/edit/", {**posted, "price": "45.00"})

    assert "changed by somebody else meanwhile" in errors_of(answer)
    assert Booking.objects.get().price == Decimal("1.00")


def test_a_cancelled_booking_is_not_changed(operator: Client) -> None:
    booking = BookingFactory.create(status=Status.CANCELLED)

    assert operator.get(f"{BOOKINGS}{booking.pk}/edit/").status_code == 403


def test_the_page_shows_the_classes_it_has_a_place_in(operator: Client) -> None:
    place = EnrolmentFactory.create(session__title="Relays", attendance="missed")

    page = page_of(operator.get(f"{BOOKINGS}{place.booking_id}/change/"))

    assert "Relays" in page
    assert "</span>missed" in page
