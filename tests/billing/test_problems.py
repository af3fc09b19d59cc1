"""What cannot be billed is reported by name, kept until it can, and harms nobody beside it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from billing.models import BillingProblem, Invoice
from billing.services import generate_monthly_invoices
from bookings.models import Booking
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, CustomerFactory

pytestmark = pytest.mark.django_db

RAISED = date(2026, 11, 28)  # when the period of the factory's booking is raised


def bill(on: date = RAISED) -> dict[str, Any]:
    return generate_monthly_invoices(on)


PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "no price": ({"price": None}, "It has no price."),
    "no anchor": ({"billing_anchor_on": None}, "It has no billing anchor."),
    "nobody said billed through": ({"billed_through_on": None}, "through which day it is billed"),
    "package deleted": ({"package": None}, "Its package was deleted."),
    "no address": ({"customer__email": ""}, "an invoice would reach nobody"),
    "an address that is none": ({"customer__email": "at home"}, "an invoice would reach nobody"),
    "a number that did not agree": (
        {"customer__email": "", "customer__phone": "+447700900123"},
        "an invoice would reach nobody",
    ),
    "three periods": (
        {"billing_anchor_on": date(2026, 8, 3), "billed_through_on": date(2026, 10, 2)},
        "More than 2 periods are to be caught up, from Saturday 3 October 2026 on",
    ),
    "out of step": ({"billed_through_on": date(2026, 11, 20)}, "no period begins on the day after"),
    "too much": ({"price": Decimal("99999999.99")}, "more than 99,999,999.99"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_reports_by_name_what_cannot_be_billed_and_bills_the_others(
    kind: str, settings: Settings
) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)
    fields, sentence = PROBLEMS[kind]
    bad = BookingFactory.create(customer__name="Zoë Hart", **fields)
    good = BookingFactory.create()

    result = bill()

    assert Invoice.objects.get().booking == good
    assert result["error_count"] == 1
    [error] = result["errors"]
    assert (error["booking_id"], error["customer"]) == (bad.pk, "Zoë Hart")
    assert sentence in error["error"]
    assert sentence in BillingProblem.objects.get(booking=bad).why


def test_an_agreed_number_is_address_enough() -> None:
    BookingFactory.create(customer=CustomerFactory.create(email="", agreed=True))

    assert bill()["created_count"] == 1


def test_an_invoice_that_bills_a_part_of_the_period_already_is_reported() -> None:
    booking = BookingFactory.create()
    other = InvoiceFactory.create(
        booking=booking,
        period_starts_on=date(2026, 12, 1),
        period_ends_on=date(2026, 12, 31),
    )

    result = bill()

    assert result["created_count"] == 0
    assert f"{other.number} bills 1 December to 31 December 2026" in result["errors"][0]["error"]


def test_an_open_problem_of_a_cancelled_booking_is_no_problem() -> None:
    booking = BookingFactory.create(price=None)
    bill()
    Booking.objects.filter(pk=booking.pk).update(status=Booking.Status.CANCELLED)

    bill()

    assert BillingProblem.objects.filter(solved_at=None).count() == 0


def test_a_problem_is_opened_seen_again_and_solved_by_itself() -> None:
    booking = BookingFactory.create(price=None)
    bill()
    BillingProblem.objects.update(
        first_seen_at=Now() - timedelta(days=1), last_seen_at=Now() - timedelta(days=1)
    )

    bill()
    again = BillingProblem.objects.get()
    Booking.objects.filter(pk=booking.pk).update(price=Decimal("42.00"))
    bill()

    assert again.last_seen_at - again.first_seen_at >= timedelta(hours=23)
    assert again.solved_at is None
    again.refresh_from_db()
    assert again.solved_at is not None
    assert Invoice.objects.count() == 1


def test_a_run_for_an_earlier_day_solves_no_later_problem() -> None:
    BookingFactory.create(price=None)
    bill()

    bill(RAISED - timedelta(days=40))

    assert BillingProblem.objects.get().solved_at is None


def test_a_problem_that_comes_back_is_a_new_one() -> None:
    booking = BookingFactory.create(price=None)
    bill()
    BillingProblem.objects.update(solved_at=Now())

    bill()

    assert BillingProblem.objects.filter(booking=booking).count() == 2
