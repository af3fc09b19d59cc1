"""What staff do with one invoice: issue it, cancel it, record what was paid."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from billing.models import Invoice, InvoiceCounter, InvoiceLine, Payment
from billing.services import (
    Received,
    Refused,
    Written,
    cancel_invoice,
    issue_invoice,
    record_payment,
)
from bookings.models import Booking
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, CustomerFactory, EnrolmentFactory
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = Invoice.Status
TODAY, DUE_ON = date(2026, 11, 28), date(2026, 12, 12)
KIT = Written("A vest", Decimal("33.33"), 3)


def issue(booking: Booking | None = None, *written: Written) -> Invoice:
    chosen = booking or BookingFactory.create()
    return issue_invoice(chosen, written=written or (KIT,), on=TODAY, due_on=DUE_ON)


def received(amount: str = "42.00", **more: Any) -> Received:
    told = {"currency": "GBP", "paid_on": TODAY, "method": Payment.Method.CASH, **more}
    return Received(Decimal(amount), **told)


def pay(invoice: Invoice, amount: str = "42.00", **more: Any) -> Payment:
    return record_payment(invoice, received(amount, **more), by="amelia")


# Issue


def test_an_invoice_of_staff_has_a_number_lines_tax_and_a_total(settings: Settings) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)

    invoice = issue(None, KIT, Written("Entry fee", Decimal("5.00")))

    assert invoice.number == "EGAC-2026-00001"
    assert (invoice.net, invoice.tax, invoice.total) == (
        Decimal("104.99"),
        Decimal("21.00"),
        Decimal("125.99"),
    )
    assert invoice.billed_for == "A vest and 1 more"
    assert [line.description for line in invoice.lines.all()] == ["A vest", "Entry fee"]


def test_it_names_the_customer_and_the_postal_address_as_they_stood() -> None:
    customer = CustomerFactory.create(name="Zoë Hart", address="1 High Street\nEast Grinstead")

    invoice = issue(BookingFactory.create(customer=customer))

    assert invoice.billed_to == "Zoë Hart\n1 High Street\nEast Grinstead"


@pytest.mark.parametrize(
    ("agreed", "channels"), [(False, ["email"]), (True, ["email", "whatsapp"])]
)
def test_issuing_queues_the_words_of_the_invoice(agreed: bool, channels: list[str]) -> None:
    customer = CustomerFactory.create(agreed=agreed)

    issue(BookingFactory.create(customer=customer))

    rows = Notification.objects.order_by("key")
    assert [row.key for row in rows] == [
        f"invoice_issued/EGAC-2026-00001/{channel}" for channel in channels
    ]
    assert {row.payload["context"]["amount"] for row in rows} == {"£99.99"}


def test_where_nothing_is_to_be_paid_the_invoice_is_paid_and_nobody_is_asked() -> None:
    invoice = issue(None, Written("A trial class", Decimal("0.00")))

    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_on) == (Status.PAID, TODAY)
    assert Notification.objects.count() == 0


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ((), "needs a line"),
        ((Written(" ", Decimal(1)),), "each line a text"),
        ((Written("A vest", Decimal(1), 0),), "a number above 0"),
        ((Written("A vest", Decimal("-0.01")),), "0 or more"),
        ((Written("A vest", Decimal("0.001")),), "exact to the penny"),
        ((Written("A stadium", Decimal("99999999.99"), 2),), "99,999,999.99 at most"),
    ],
)
def test_refuses_to_issue_what_cannot_be_asked(written: tuple[Written, ...], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        issue_invoice(BookingFactory.create(), written=written, on=TODAY, due_on=DUE_ON)

    assert InvoiceCounter.objects.count() == 0


@in_threads
def test_numbers_given_side_by_side_have_no_gap() -> None:
    bookings = BookingFactory.create_batch(8)

    numbers = side_by_side(8, lambda place: issue(bookings[place]).number)

    assert sorted(numbers) == [f"EGAC-2026-0000{n}" for n in range(1, 9)]
    assert InvoiceCounter.objects.get().last == 8


def test_each_year_of_issue_counts_from_1() -> None:
    booking = BookingFactory.create()
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2), date(2026, 12, 30)]

    numbers = [issue_invoice(booking, written=[KIT], on=on, due_on=DUE_ON).number for on in days]

    assert numbers == [
        "EGAC-2026-00001",
        "EGAC-2027-00001",
        "EGAC-2027-00002",
        "EGAC-2026-00002",
    ]


# Cancel


def test_a_cancelled_invoice_keeps_its_number_and_says_why() -> None:
    invoice = issue()

    cancel_invoice(invoice, why="Billed by mistake.")
    after = issue()

    invoice.refresh_from_db()
    assert (invoice.status, invoice.number) == (Status.CANCELLED, "EGAC-2026-00001")
    assert invoice.cancelled_because == "Billed by mistake."
    assert invoice.cancelled_at is not None
    assert after.number == "EGAC-2026-00002"


def test_cancelling_frees_the_classes_of_its_lines() -> None:
    invoice = issue()
    line = invoice.lines.get()
    line.enrolment = EnrolmentFactory.create(booking=invoice.booking)
    line.save()

    cancel_invoice(invoice, why="Billed by mistake.")

    assert InvoiceLine.objects.filter(is_live=True).count() == 0


@pytest.mark.parametrize("state", ["is_paid", "cancelled"])
def test_only_an_unpaid_invoice_can_be_cancelled(state: str) -> None:
    fields = {"is_paid": True} if state == "is_paid" else {"status": Status.CANCELLED}
    invoice = InvoiceFactory.create(**fields)

    with pytest.raises(Refused, match=rf"{invoice.number} is (paid|cancelled) already"):
        cancel_invoice(invoice, why="No reason.")


def test_money_that_came_in_keeps_an_invoice_from_being_cancelled() -> None:
    invoice = InvoiceFactory.create()
    pay(invoice, "10.00")

    with pytest.raises(Refused, match=r"£10\.00 came in for .* Pay it back"):
        cancel_invoice(invoice, why="No reason.")


def test_18_a_stale_page_cancels_nothing() -> None:
    invoice = InvoiceFactory.create()
    invoice.refresh_from_db()
    Invoice.objects.update(updated_at=Now() + timedelta(seconds=1))

    with pytest.raises(Refused, match="changed by somebody else"):
        cancel_invoice(invoice, why="No reason.", seen=invoice.updated_at)


# Payments


def test_the_payment_that_completes_an_invoice_thanks_the_customer() -> None:
    invoice = InvoiceFactory.create()

    pay(invoice, "40.00")
    asked_before = Notification.objects.count()
    pay(invoice, "2.00", paid_on=DUE_ON)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid, invoice.paid_on) == (
        Status.PAID,
        Decimal("42.00"),
        DUE_ON,
    )
    assert asked_before == 0
    thanks = Notification.objects.get()
    assert thanks.key == f"payment_received/{invoice.number}/email"
    assert thanks.payload["context"]["paid_amount"] == "£42.00"


def test_a_part_payment_leaves_the_rest_to_pay() -> None:
    invoice = InvoiceFactory.create()

    payment = pay(invoice, "12.34", reference="BACS 1")

    invoice.refresh_from_db()
    assert (invoice.status, invoice.left_to_pay) == (Status.PENDING, Decimal("29.66"))
    assert (payment.recorded_by, payment.reference) == ("amelia", "BACS 1")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (received("42.01"), r"£42\.01 is more than the £42\.00 left to pay of .* Record £42\.00"),
        (received(currency="EUR"), "is in GBP, and the payment in EUR"),
        (received("0.00"), "above 0"),
        (received("-1.00"), "above 0"),
        (received("1.005"), "exact to the penny"),
    ],
)
def test_refuses_a_payment_that_does_not_fit(told: Received, sentence: str) -> None:
    invoice = InvoiceFactory.create()

    with pytest.raises(Refused, match=sentence):
        record_payment(invoice, told, by="amelia")

    assert Payment.objects.count() == 0


@pytest.mark.parametrize("fields", [{"is_paid": True}, {"status": Status.CANCELLED}])
def test_refuses_money_for_what_is_paid_or_cancelled(fields: dict[str, Any]) -> None:
    invoice = InvoiceFactory.create(**fields)

    with pytest.raises(Refused, match="already"):
        pay(invoice, "1.00")


@in_threads
def test_payments_at_once_never_pay_more_than_is_owed() -> None:
    invoice = InvoiceFactory.create()

    def pay_ten(_: int) -> bool:
        try:
            pay(invoice, "10.00")
        except Refused:
            return False
        return True

    taken = side_by_side(8, pay_ten)

    invoice.refresh_from_db()
    assert sum(taken) == Payment.objects.count() == 4
    assert invoice.paid == Decimal("40.00")


@in_threads
def test_of_a_payment_and_a_cancellation_at_once_one_holds() -> None:
    invoice = InvoiceFactory.create()

    def act(place: int) -> bool:
        try:
            if place:
                pay(invoice)
            else:
                cancel_invoice(invoice, why="Billed by mistake.")
        except Refused:
            return False
        return True

    held = side_by_side(2, act)

    invoice.refresh_from_db()
    assert sum(held) == 1
    assert (invoice.status == Status.PAID) == bool(Payment.objects.count())
