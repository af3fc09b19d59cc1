"""What generate_t5_invoices bills: classes that took place, each once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing.models import BillingProblem, Invoice, InvoiceLine
from billing.services import cancel_invoice, generate_t5_invoices
from bookings.models import Booking, ClassSession, Enrolment
from notifications.models import Notification
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory

pytestmark = pytest.mark.django_db

Attendance = Enrolment.Attendance
TODAY = date(2026, 12, 2)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def booking() -> Booking:
    return BookingFactory.create(per_class=True, price=Decimal("12.50"))


def bill(on: date = TODAY) -> dict[str, Any]:
    return generate_t5_invoices(on)


def test_bills_yesterdays_class_and_it_is_due_five_days_after(booking: Booking) -> None:
    place = a_class(booking, YESTERDAY)

    result = bill()

    invoice = Invoice.objects.get()
    assert (invoice.kind, invoice.issued_on, invoice.due_on) == (
        "t5",
        TODAY,
        TODAY + timedelta(days=5),
    )
    assert invoice.billed_for == "Junior running, Tuesday 1 December 2026 at 18:30 GMT"
    assert invoice.period_starts_on is None
    line = invoice.lines.get()
    assert (line.enrolment, line.unit_price, line.description) == (
        place,
        Decimal("12.50"),
        invoice.billed_for,
    )
    counts = ("total_checked", "total_generated", "total_skipped", "total_errors")
    assert [result[name] for name in counts] == [1, 1, 0, 0]
    assert Notification.objects.get().type == "invoice_issued"


def test_bills_all_classes_of_a_booking_in_one_invoice_a_line_each(
    booking: Booking, settings: Settings
) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)
    days = [YESTERDAY, YESTERDAY - timedelta(days=21), YESTERDAY - timedelta(days=7)]
    places = [a_class(booking, day) for day in days]

    bill()

    invoice = Invoice.objects.get()
    lines = invoice.lines.order_by("position")
    assert [line.enrolment_id for line in lines] == [places[n].pk for n in (1, 2, 0)]
    assert invoice.billed_for == "3 classes, 10 November to 1 December 2026"
    assert (invoice.net, invoice.tax) == (Decimal("37.50"), Decimal("7.50"))


def test_two_classes_of_one_day_are_said_so(booking: Booking) -> None:
    a_class(booking, YESTERDAY)
    a_class(booking, YESTERDAY)

    bill()

    assert Invoice.objects.get().billed_for == "2 classes on Tuesday 1 December 2026"


def test_todays_class_is_billed_tomorrow(booking: Booking) -> None:
    a_class(booking, TODAY)

    counts = [bill(day)["total_generated"] for day in (TODAY, TODAY + timedelta(days=1))]

    assert counts == [0, 1]


@pytest.mark.parametrize(
    ("starts_at", "is_billed"),
    [
        (datetime(2026, 7, 1, 22, 59, tzinfo=UTC), True),  # 23:59 in London
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), False),  # midnight, of the next business date
    ],
)
def test_a_business_date_is_the_clubs(
    booking: Booking, starts_at: datetime, is_billed: bool
) -> None:
    a_class(booking, YESTERDAY, session_starts_at=starts_at)

    assert bill(date(2026, 7, 2))["total_generated"] == int(is_billed)


def test_a_missed_night_is_caught_up(booking: Booking) -> None:
    a_class(booking, YESTERDAY - timedelta(days=200))

    assert bill()["total_generated"] == 1


def test_a_class_is_on_one_live_line_whatever_runs(booking: Booking) -> None:
    a_class(booking, YESTERDAY)

    counts = [bill()["total_generated"] for _ in range(3)]

    assert counts == [1, 0, 0]
    assert InvoiceLine.objects.count() == 1


def test_a_class_of_a_cancelled_invoice_is_billed_again(booking: Booking) -> None:
    a_class(booking, YESTERDAY)
    bill()
    cancel_invoice(Invoice.objects.get(), why="A wrong price.")

    bill()

    assert [each.number for each in Invoice.objects.live()] == ["EGAC-2026-00002"]


COMPLETED = {"session_status": ClassSession.Status.COMPLETED}
MISSED = {"attendance": Attendance.MISSED}
EXPECTED = {"attendance": Attendance.EXPECTED}


@pytest.mark.parametrize(
    ("bills", "fields", "is_billed", "is_awaited"),
    [
        ("attended", {}, True, False),
        ("attended", COMPLETED, True, False),
        ("attended", MISSED, False, False),
        ("attended", MISSED | COMPLETED, False, False),
        ("attended", EXPECTED, False, True),
        ("attended", EXPECTED | COMPLETED, False, True),
        ("attended", {"session_status": ClassSession.Status.CANCELLED}, False, False),
        ("completed", {}, True, False),
        ("completed", COMPLETED, True, False),
        ("completed", MISSED, False, True),
        ("completed", MISSED | COMPLETED, True, False),
        ("completed", EXPECTED, False, True),
        ("completed", EXPECTED | COMPLETED, True, False),
        ("completed", {"session_status": ClassSession.Status.CANCELLED}, False, False),
    ],
)
def test_what_took_place_is_a_setting(
    booking: Booking,
    settings: Settings,
    bills: str,
    fields: dict[str, Any],
    is_billed: bool,
    is_awaited: bool,
) -> None:
    settings.T5_BILLS = bills
    a_class(booking, YESTERDAY, **fields)

    result = bill()

    assert result["total_generated"] == int(is_billed)
    assert result["total_skipped"] == int(is_awaited)


@pytest.mark.parametrize(
    ("bills", "fields", "is_billed"),
    [
        ("attended", {}, True),
        ("completed", {}, True),
        ("completed", EXPECTED | COMPLETED, False),
        ("attended", EXPECTED, False),
    ],
)
def test_who_came_owes_for_it_though_the_booking_was_cancelled_since(
    booking: Booking, settings: Settings, bills: str, fields: dict[str, Any], is_billed: bool
) -> None:
    settings.T5_BILLS = bills
    Booking.objects.update(status=Booking.Status.CANCELLED)
    a_class(booking, YESTERDAY, **fields)

    result = bill()

    assert (result["total_generated"], result["total_skipped"]) == (int(is_billed), 0)


def test_a_locked_booking_pays_for_the_classes_it_attended(booking: Booking) -> None:
    Booking.objects.update(access_status=Booking.Access.LOCKED)
    a_class(booking, YESTERDAY)

    assert bill()["total_generated"] == 1


def test_a_monthly_booking_pays_no_class() -> None:
    a_class(BookingFactory.create(), YESTERDAY)

    assert bill()["total_checked"] == 0


def test_says_which_register_is_not_filled_in(booking: Booking) -> None:
    for days in (1, 8):
        a_class(booking, TODAY - timedelta(days=days), **EXPECTED)

    result = bill()

    assert result["total_errors"] == 0
    [row] = result["results"]
    assert row["why"].startswith("2 classes wait for the register, from Tuesday 24 November 2026")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"price": None}, "It has no price."),
        ({"package": None}, "Its package was deleted."),
        ({"customer__email": ""}, "an invoice would reach nobody"),
    ],
)
def test_reports_by_name_what_cannot_be_billed(changes: dict[str, Any], sentence: str) -> None:
    bad = BookingFactory.create(per_class=True, customer__name="Zoë Hart", **changes)
    a_class(bad, YESTERDAY)
    a_class(BookingFactory.create(per_class=True), YESTERDAY)

    result = bill()

    assert (result["total_generated"], result["total_errors"]) == (1, 1)
    [error] = result["errors"]
    assert error["customer"] == "Zoë Hart"
    assert sentence in error["error"]
    assert BillingProblem.objects.get().booking == bad


def test_a_class_without_an_end_is_reported_and_the_others_are_billed(booking: Booking) -> None:
    endless = a_class(booking, YESTERDAY, session_ends_at=None)
    whole = a_class(booking, YESTERDAY - timedelta(days=7))

    result = bill()

    assert InvoiceLine.objects.get().enrolment == whole
    assert "at 18:30 GMT has no end. Write when it ended" in result["errors"][0]["error"]
    ClassSession.objects.filter(pk=endless.session_id).update(
        ends_at=endless.session.starts_at + timedelta(hours=1)
    )
    bill()
    assert InvoiceLine.objects.filter(enrolment=endless).exists()
    assert BillingProblem.objects.get().solved_at is not None


def test_a_free_class_is_billed_as_paid() -> None:
    free = BookingFactory.create(per_class=True, price=Decimal("0.00"))
    a_class(free, YESTERDAY)

    bill()

    assert Invoice.objects.get().status == Invoice.Status.PAID
