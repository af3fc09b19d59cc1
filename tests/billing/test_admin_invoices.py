"""Invoices in the admin: the list, the page of each, money that came in, and cancelling."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import BillingProblem, Invoice, Payment, StepTaken
from billing.reminding import remind
from bookings.models import Booking
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.billing.pdf_text import text_of
from tests.bookings.factories import BookingFactory
from tests.bookings.staff_pages import CUSTOMERS, ask, confirm, message_of, page_of, press
from tests.staff import login

pytestmark = pytest.mark.django_db

INVOICES = "/admin/billing/invoice/"
PAY, CANCEL = f"{INVOICES}pay/", f"{INVOICES}cancel/"
Status = Invoice.Status


@pytest.fixture
def operator() -> Client:
    return login("Operators")


@pytest.fixture
def manager() -> Client:
    return login("Managers")


def due_in(days: int, **fields: Any) -> Invoice:
    """Return an unpaid invoice that is due so many days from today on, on the real clock."""
    due_on = timezone.localdate() + timedelta(days=days)
    return InvoiceFactory.create(due_on=due_on, **fields)


def money(amount: str = "42.00", **more: str) -> dict[str, str]:
    """Return what is typed on the page that records a payment."""
    today = timezone.localdate().isoformat()
    return {"amount": amount, "paid_on": today, "method": "cash", "reference": "", **more}


# The list


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (3, ["due in 3 days", "</span>pending"]),
        (1, ["due in 1 day<"]),
        (0, ["due today"]),
        (-1, ["1 day late", "</span>overdue"]),
        (-9, ["9 days late", "</span>overdue"]),
    ],
)
def test_the_list_says_the_age_in_words(operator: Client, days: int, words: list[str]) -> None:
    due_in(days, booking__customer__name="Zoë Hart")

    page = page_of(operator.get(INVOICES))

    for word in ("Zoë Hart", "£42.00", *words):
        assert word in page, word


@pytest.mark.parametrize(
    ("state", "numbers"),
    [("overdue", ["A-1"]), ("pending", ["A-1", "A-2"]), ("paid", ["A-3"]), ("cancelled", [])],
)
def test_the_list_can_be_narrowed_to_a_state(
    operator: Client, state: str, numbers: list[str]
) -> None:
    due_in(-1, number="A-1")
    due_in(1, number="A-2")
    due_in(-1, number="A-3", is_paid=True)

    answer = operator.get(INVOICES, {"state": state})

    shown: Any = answer.context
    assert sorted(row.number for row in shown["cl"].result_list) == numbers


def test_23_the_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    operator: Client,
) -> None:
    counts = []
    for more in (1, 20):
        for _ in range(more):
            due_in(3)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.get(INVOICES)
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("words", ["EGAC-2026-00042", "zoë", "Zoe@families.example"])
def test_an_invoice_is_found_by_number_name_and_address(operator: Client, words: str) -> None:
    due_in(
        3,
        number="EGAC-2026-00042",
        booking__customer__name="Zoë Hart",
        booking__customer__email="zoe@families.example",
    )
    due_in(3, number="EGAC-2026-00043")

    page = page_of(operator.get(INVOICES, {"q": words}))

    assert "EGAC-2026-00042" in page
    assert "EGAC-2026-00043" not in page


# Its page


def test_the_page_shows_lines_payments_reminders_messages_and_what_happened(
    operator: Client,
) -> None:
    invoice = due_in(3)
    invoice.lines.create(position=1, description="Kit", unit_price=42, tax_percent=0, net=42, tax=0)
    remind([invoice.pk], on=timezone.localdate())
    press(operator, PAY, invoice, **money("2.00", reference="BACS 7"))

    page = page_of(operator.get(f"{INVOICES}{invoice.pk}/change/"))

    step = StepTaken.objects.get()
    message = Notification.objects.get(type="payment_reminder")
    for words in (
        "Kit",
        "£2.00",
        "BACS 7",
        "£40.00",
        step.get_step_display().capitalize(),
        f"/admin/notifications/notification/{message.pk}/change/",
        "Issued over £42.00",
        "£2.00 came in by cash",
        "£40.00 is left to pay, until",
        "due in 3 days",
    ):
        assert words in page, words


def test_staff_open_the_page_and_the_pdf_without_a_key(operator: Client) -> None:
    invoice = due_in(3)

    page = operator.get(f"{INVOICES}{invoice.pk}/page/")
    pdf = operator.get(f"{INVOICES}{invoice.pk}/pdf/")

    assert "Please pay £42.00" in page.content.decode()
    assert "Please pay £42.00" in text_of(pdf.content)
    assert "key=" not in page.content.decode()


def test_an_invoice_that_is_not_there_is_not_found(operator: Client) -> None:
    assert operator.get(f"{INVOICES}999999/pdf/").status_code == 404


def test_the_customers_timeline_tells_of_invoices_and_payments(operator: Client) -> None:
    invoice = due_in(3)
    press(operator, PAY, invoice, **money())

    page = page_of(operator.get(f"{CUSTOMERS}{invoice.customer.pk}/change/"))

    assert f"Invoice {invoice.number}: Issued over £42.00" in page
    assert f"Invoice {invoice.number}: £42.00 came in by cash" in page


# Money that came in


def test_a_payment_is_recorded_with_day_method_and_who_wrote_it(operator: Client) -> None:
    invoice = due_in(-30, booking__access_status=Booking.Access.LOCKED)

    told = press(operator, PAY, invoice, **money(reference="BACS 7", method="bank_transfer"))

    payment = Payment.objects.get()
    assert told == f"1 recorded: £42.00 for {invoice.number}, it is paid now."
    assert (payment.amount, payment.currency, payment.method) == (42, "GBP", "bank_transfer")
    assert (payment.paid_on, payment.reference) == (timezone.localdate(), "BACS 7")
    assert payment.recorded_by.startswith("operators")
    assert Booking.objects.get().access_status == Booking.Access.ACTIVE
    assert "1 recorded" in LogEntry.objects.get(object_id=str(invoice.pk)).change_message


def test_the_page_that_asks_offers_what_is_left_and_today(operator: Client) -> None:
    invoice = due_in(3, paid=Decimal("2.00"))

    answer = operator.post(PAY, {"_selected_action": [invoice.pk]})

    page = page_of(answer)
    assert 'value="40.00"' in page
    assert f'value="{timezone.localdate().isoformat()}"' in page
    assert "£40.00 is left to pay" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"amount": "0"}, "Write what came in: 0.01 at least."),
        ({"amount": "1.001"}, "no more than 2 decimal places"),
        ({"amount": ""}, "This field is required"),
        ({"paid_on": "2098-01-01"}, "still to come"),
        ({"paid_on": "0226-01-01"}, "greater than or equal to 1900-01-01"),
        ({"paid_on": "soon"}, "Enter a valid date"),
        ({"method": "barter"}, "Select a valid choice"),
    ],
)
def test_what_cannot_have_come_in_is_asked_again(
    operator: Client, typed: dict[str, str], sentence: str
) -> None:
    invoice = due_in(3)
    posted = ask(operator, PAY, invoice)

    page = page_of(operator.post(PAY, {**posted, **money(), **typed}))

    assert sentence in page
    assert not Payment.objects.exists()


def test_more_than_is_left_is_refused_with_what_to_do(operator: Client) -> None:
    told = press(operator, PAY, due_in(3), **money("50.00"))

    assert told.startswith("0 recorded. Skipped: 1. £50.00 is more than the £42.00 left")
    assert not Payment.objects.exists()


def test_18_a_page_left_open_records_nothing_twice(operator: Client) -> None:
    invoice = due_in(3)
    posted = ask(operator, PAY, invoice)
    confirm(operator, PAY, {**posted, **money("10.00")})

    told = confirm(operator, PAY, {**posted, **money("10.00")})

    assert "changed by somebody else meanwhile" in told
    assert Payment.objects.count() == 1


def test_a_payment_is_recorded_for_one_invoice_at_a_time(operator: Client) -> None:
    chosen = [str(due_in(3).pk) for _ in range(2)]

    answer = operator.post(PAY, {"_selected_action": chosen}, follow=True)

    assert "takes exactly one; you chose 2" in message_of(answer)


# Cancelling


def test_cancelling_says_both_numbers_and_keeps_the_reason(manager: Client) -> None:
    first, second = due_in(3), due_in(3)
    posted = ask(manager, CANCEL, first, second)
    press(login("Operators"), PAY, second, **money())

    told = confirm(manager, CANCEL, posted, reason="billed twice")

    first.refresh_from_db()
    assert told.startswith("1 cancelled. Skipped: 1. ")
    assert (first.status, first.cancelled_because) == (Status.CANCELLED, "billed twice")
    assert Invoice.objects.get(pk=second.pk).status == Status.PAID


def test_what_cannot_be_cancelled_is_named_before(manager: Client) -> None:
    rows = [due_in(3, is_paid=True), due_in(3, paid=Decimal("1.00")), due_in(3)]

    page = page_of(manager.post(CANCEL, {"_selected_action": [row.pk for row in rows]}))

    assert "1 paid already" in page
    assert "1 with money that came in" in page


def test_a_reason_is_asked(manager: Client) -> None:
    posted = ask(manager, CANCEL, due_in(3))

    page = page_of(manager.post(CANCEL, posted))

    assert "Write a reason." in page
    assert Invoice.objects.get().status == Status.PENDING


def test_an_operator_may_not_cancel(operator: Client) -> None:
    answer = operator.post(CANCEL, {"_selected_action": [due_in(3).pk]})

    assert answer.status_code == 403


# Files and lists beside


@pytest.mark.parametrize("format", ["0", "1"], ids=["csv", "xlsx"])
def test_invoices_are_exported_without_a_formula(operator: Client, format: str) -> None:
    due_in(3, booking__customer__name="=1+1", number="EGAC-2026-00042")

    answer = operator.post(f"{INVOICES}export/", {"format": format, "resource": ""})

    assert answer.status_code == 200
    if format == "0":
        text = answer.content.decode("utf-8-sig")
        assert "EGAC-2026-00042" in text
        assert ",'=1+1," in text
        assert ",42.00," in text


def test_payments_show_in_a_list_and_in_a_file(operator: Client) -> None:
    invoice = due_in(3)
    press(operator, PAY, invoice, **money(reference="@BACS"))

    page = page_of(operator.get("/admin/billing/payment/"))
    file = operator.post("/admin/billing/payment/export/", {"format": "0", "resource": ""})

    assert invoice.number in page
    assert "'@BACS" in file.content.decode("utf-8-sig")


def test_problems_show_with_their_reason_and_whether_they_stand(operator: Client) -> None:
    booking = BookingFactory.create(customer__name="Zoë Hart")
    BillingProblem.objects.create(
        job="generate_monthly_invoices", booking=booking, why="It has no price."
    )
    BillingProblem.objects.create(
        job="generate_t5_invoices", booking=booking, why="Solved one.", solved_at=timezone.now()
    )

    page = page_of(operator.get("/admin/billing/billingproblem/", {"open": "yes"}))

    assert "Zoë Hart" in page
    assert "It has no price." in page
    assert "Bill monthly bookings" in page
    assert "Solved one." not in page
