"""What generate_monthly_invoices bills, waives, leaves and reports."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing.models import BillingProblem, Invoice
from billing.services import cancel_invoice, generate_monthly_invoices
from bookings.models import Booking, BookingEvent
from bookings.services import Move, move_access
from notifications.models import Notification
from tests.bookings.factories import (
    AGREED_AT,
    BookingFactory,
    ClassPackageFactory,
    CustomerFactory,
)

pytestmark = pytest.mark.django_db

Access = Booking.Access
DUE = date(2026, 12, 3)  # the billing date that the factory's booking is billed up to
RAISED = DUE - timedelta(days=5)


def bill(on: date = RAISED) -> dict[str, Any]:
    return generate_monthly_invoices(on)


def days_of(invoices: Any) -> list[tuple[Any, ...]]:
    return list(
        invoices.order_by("due_on").values_list("period_starts_on", "period_ends_on", "due_on")
    )


def lock(booking: Booking, on: date) -> None:
    """Lock a booking on a business date, as its history tells."""
    access(booking, Access.LOCKED, on)


def access(booking: Booking, new: Access, on: date) -> None:
    booking.refresh_from_db()
    [line] = move_access([Move(booking.pk, booking.access_status, new)], actor="a test")
    BookingEvent.objects.filter(pk=line.pk).update(at=f"{on}T12:00:00Z")


# Billed


def test_bills_a_period_five_days_before_it_begins() -> None:
    booking = BookingFactory.create(customer__name="Zoë Hart", package__name="Junior running")

    early, result = bill(RAISED - timedelta(days=1)), bill()

    assert (early["created_count"], result["created_count"]) == (0, 1)
    invoice = Invoice.objects.get()
    assert (invoice.booking, invoice.customer) == (booking, booking.customer)
    assert (invoice.number, invoice.kind, invoice.status) == (
        "EGAC-2026-00001",
        "monthly",
        "pending",
    )
    assert invoice.billed_for == "Junior running, 3 December 2026 to 2 January 2027"
    assert (invoice.issued_on, invoice.due_on) == (RAISED, DUE)
    assert (invoice.period_starts_on, invoice.period_ends_on) == (DUE, date(2027, 1, 2))
    assert (invoice.total, invoice.currency) == (Decimal("42.00"), "GBP")
    booking.refresh_from_db()
    assert booking.billed_through_on == date(2027, 1, 2)


def test_tells_the_customer_on_every_channel_in_the_words_of_the_invoice() -> None:
    customer = CustomerFactory.create(
        name="Zoë Hart", email="zoe@families.example", whatsapp_opted_in_at=AGREED_AT
    )
    BookingFactory.create(customer=customer)

    bill()

    rows = Notification.objects.order_by("key")
    assert [(row.type, row.key) for row in rows] == [
        ("invoice_issued", "invoice_issued/EGAC-2026-00001/email"),
        ("invoice_issued", "invoice_issued/EGAC-2026-00001/whatsapp"),
    ]
    context = rows[0].payload["context"]
    assert (context["amount"], context["due_on"]) == ("£42.00", "Thursday 3 December 2026")


@pytest.mark.parametrize(
    ("anchor", "due_on", "raised_on"),
    [
        ("2025-12-31", "2026-02-28", "2026-02-23"),
        ("2027-12-31", "2028-02-29", "2028-02-24"),
        ("2025-12-01", "2026-02-01", "2026-01-27"),
        ("2026-10-31", "2026-12-31", "2026-12-26"),
    ],
)
def test_bills_on_the_dates_of_the_domain(anchor: str, due_on: str, raised_on: str) -> None:
    day = date.fromisoformat(due_on)
    BookingFactory.create(
        billing_anchor_on=date.fromisoformat(anchor), billed_through_on=day - timedelta(days=1)
    )
    raised = date.fromisoformat(raised_on)

    early = bill(raised - timedelta(days=1))["created_count"]
    bill(raised)

    assert early == 0
    assert Invoice.objects.get().due_on == day


@pytest.mark.parametrize("lead_days", [0, 1, 20])
def test_the_lead_is_a_setting(settings: Settings, lead_days: int) -> None:
    settings.BILLING_LEAD_DAYS = lead_days
    BookingFactory.create()
    raised = DUE - timedelta(days=lead_days)

    counts = [bill(raised - timedelta(days=1))["created_count"], bill(raised)["created_count"]]

    assert counts == [0, 1]


def test_catches_up_two_missed_periods_in_one_run() -> None:
    BookingFactory.create()

    bill(date(2027, 1, 20))

    assert days_of(Invoice.objects) == [
        (DUE, date(2027, 1, 2), DUE),
        (date(2027, 1, 3), date(2027, 2, 2), date(2027, 1, 3)),
    ]


def test_a_second_run_bills_nothing() -> None:
    BookingFactory.create()

    first, second = bill(), bill()

    assert (first["created_count"], second["created_count"]) == (1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Booking.Status.PENDING},
        {"status": Booking.Status.CANCELLED},
        {"per_class": True},
        {"billed_through_on": DUE + timedelta(days=30)},
    ],
)
def test_leaves_alone_what_is_not_to_be_billed(fields: dict[str, Any]) -> None:
    BookingFactory.create(**fields)

    result = bill()

    assert (result["created_count"], result["error_count"]) == (0, 0)
    assert BillingProblem.objects.count() == 0


def test_tax_is_added_to_the_price(settings: Settings) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)
    BookingFactory.create(price=Decimal("33.33"), currency="EUR")

    result = bill()

    invoice = Invoice.objects.get()
    assert (invoice.net, invoice.tax, invoice.total) == (
        Decimal("33.33"),
        Decimal("6.67"),
        Decimal("40.00"),
    )
    assert result["amounts"] == {"EUR": "40.00"}


def test_a_price_of_nothing_is_billed_as_paid_and_announced_to_nobody() -> None:
    booking = BookingFactory.create(price=Decimal("0.00"))

    bill()

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.paid_on) == (Invoice.Status.PAID, RAISED)
    booking.refresh_from_db()
    assert booking.billed_through_on == date(2027, 1, 2)
    assert Notification.objects.count() == 0


def test_a_cancelled_month_is_not_billed_again_by_itself_but_when_somebody_asks() -> None:
    booking = BookingFactory.create()
    bill()
    cancel_invoice(Invoice.objects.get(), why="Billed by mistake.")

    again = bill()["created_count"]
    Booking.objects.filter(pk=booking.pk).update(billed_through_on=DUE - timedelta(days=1))
    asked = bill()["created_count"]

    assert (again, asked) == (0, 1)
    assert Invoice.objects.live().get().number == "EGAC-2026-00002"


def test_a_day_set_back_bills_no_period_twice() -> None:
    booking = BookingFactory.create()
    bill()
    Booking.objects.filter(pk=booking.pk).update(billed_through_on=DUE - timedelta(days=1))

    result = bill()

    assert (result["created_count"], result["skipped_count"]) == (0, 1)
    assert "EGAC-2026-00001 bills" in result["results"][0]["why"]
    booking.refresh_from_db()
    assert booking.billed_through_on == date(2027, 1, 2)


def test_who_are_billed_alike_share_words_and_amounts_and_the_others_have_their_own(
    settings: Settings,
) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)
    package = ClassPackageFactory.create(name="Junior running")
    for price, currency in (("42.00", "GBP"), ("42.00", "GBP"), ("40.00", "GBP"), ("42.00", "EUR")):
        BookingFactory.create(package=package, price=Decimal(price), currency=currency)
    BookingFactory.create(package__name="Sprints", price=Decimal("42.00"))

    bill()
    settings.BILLING_TAX_RATE = Decimal(10)
    bill(RAISED + timedelta(days=31))

    asked = Invoice.objects.order_by("pk").values_list("billed_for", "total", "currency")
    assert [(words.partition(",")[0], str(total), of) for words, total, of in asked] == [
        ("Junior running", "50.40", "GBP"),
        ("Junior running", "50.40", "GBP"),
        ("Junior running", "48.00", "GBP"),
        ("Junior running", "50.40", "EUR"),
        ("Sprints", "50.40", "GBP"),
        ("Junior running", "46.20", "GBP"),
        ("Junior running", "46.20", "GBP"),
        ("Junior running", "44.00", "GBP"),
        ("Junior running", "46.20", "EUR"),
        ("Sprints", "46.20", "GBP"),
    ]


# Locked


def test_a_period_whose_billing_date_falls_while_it_is_locked_is_waived() -> None:
    booking = BookingFactory.create()
    lock(booking, DUE - timedelta(days=10))

    result = bill(DUE)

    booking.refresh_from_db()
    assert Invoice.objects.count() == 0
    assert booking.billed_through_on == date(2027, 1, 2)
    line = booking.events.get(kind=BookingEvent.Kind.WAIVED)
    assert line.new == "3 December 2026 to 2 January 2027"
    assert line.actor == "generate_monthly_invoices"
    assert (result["waived_count"], result["skipped_count"]) == (1, 1)
    [row] = result["results"]
    assert (row["outcome"], row["period_starts_on"]) == ("waived", "2026-12-03")


def test_a_locked_booking_is_not_waived_before_its_billing_date() -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)

    result = bill()

    booking.refresh_from_db()
    assert booking.billed_through_on == DUE - timedelta(days=1)
    assert (result["skipped_count"], result["waived_count"]) == (1, 0)
    assert "is waived if it still is on that day" in result["results"][0]["why"]


def test_who_pays_before_the_billing_date_is_billed_as_everybody() -> None:
    booking = BookingFactory.create()
    lock(booking, DUE - timedelta(days=10))
    bill()

    access(booking, Access.ACTIVE, DUE - timedelta(days=3))
    result = bill(DUE - timedelta(days=2))

    assert (result["created_count"], result["waived_count"]) == (1, 0)


def test_a_missed_night_waives_what_was_locked_then_and_bills_what_was_not() -> None:
    booking = BookingFactory.create()
    lock(booking, DUE - timedelta(days=10))
    access(booking, Access.ACTIVE, DUE + timedelta(days=20))

    bill(date(2027, 1, 3))

    assert days_of(Invoice.objects) == [
        (date(2027, 1, 3), date(2027, 2, 2), date(2027, 1, 3)),
    ]
    assert booking.events.filter(kind=BookingEvent.Kind.WAIVED).count() == 1


def test_access_moved_by_staff_without_a_lock_waives_nothing() -> None:
    booking = BookingFactory.create()
    access(booking, Access.GRACE, DUE - timedelta(days=1))

    assert bill(DUE)["created_count"] == 1
