"""Whoever corrects the register of a billed class hears that the invoice still asks for it."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from billing.models import Invoice
from billing.services import cancel_invoice, generate_t5_invoices
from bookings.models import Enrolment
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory
from tests.bookings.staff_pages import PLACES, SESSIONS, page_of, press
from tests.staff import login

pytestmark = pytest.mark.django_db

HELD_ON, BILLED_ON = date(2026, 1, 14), date(2026, 1, 15)
ASKED = "Billed already although it is not owed: see EGAC-2026-00001."


@pytest.fixture
def operator() -> Client:
    return login("Operators")


@pytest.fixture
def place() -> Enrolment:
    """A place in a class that is on an invoice."""
    booking = BookingFactory.create(per_class=True, price=Decimal("12.50"))
    place = a_class(booking, HELD_ON)
    generate_t5_invoices(BILLED_ON)
    return place


def test_a_mark_after_billing_names_the_invoice_and_what_to_do(
    operator: Client, place: Enrolment
) -> None:
    told = press(operator, f"{PLACES}missed/", place)

    assert told.startswith(f"1 marked as missed. {ASKED} No mark changes an invoice. Cancel an")
    for page in (f"{PLACES}{place.pk}/change/", f"{SESSIONS}{place.session_id}/change/"):
        assert ASKED in page_of(operator.get(page)), page


def test_the_register_says_so_too(operator: Client, place: Enrolment) -> None:
    register = f"{SESSIONS}{place.session_id}/register/"
    [line] = operator.get(register).context["lines"]

    posted = {f"shown-{place.pk}": line["shown"], f"mark-{place.pk}": "missed"}
    page = page_of(operator.post(register, posted, follow=True))

    assert f"1 marked. {ASKED}" in page


def test_a_class_that_is_cancelled_after_billing_says_so(
    operator: Client, place: Enrolment
) -> None:
    told = press(operator, f"{SESSIONS}cancel/", place.session, reason="The hall was closed.")

    assert told.startswith(f"1 cancelled. {ASKED}")


def test_what_is_owed_all_the_same_needs_no_word(
    operator: Client, place: Enrolment, settings: Settings
) -> None:
    settings.T5_BILLS = "completed"
    press(operator, f"{SESSIONS}complete/", place.session)

    assert press(operator, f"{PLACES}missed/", place) == "1 marked as missed."


def test_it_is_over_once_the_invoice_is_cancelled(operator: Client, place: Enrolment) -> None:
    press(operator, f"{PLACES}missed/", place)

    cancel_invoice(Invoice.objects.get(), why="She was ill.")

    assert ASKED not in page_of(operator.get(f"{PLACES}{place.pk}/change/"))
