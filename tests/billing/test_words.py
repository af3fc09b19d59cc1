"""What the messages about an invoice say, and when one about paying lost its point."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing.links import number_signed_by
from billing.models import Invoice
from billing.words import STILL_TO_PAY, invoice_context, invoices_named, why_not_to_pay
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.services import Message, email_payload, enqueue
from tests.billing.factories import InvoiceFactory
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db


def test_says_an_invoice_in_words_that_are_ready_to_be_read(settings: Settings) -> None:
    settings.LOCK_AFTER_DAYS = 11
    invoice = InvoiceFactory.create(
        booking__customer__name="Zoë Hart",
        booking__package__name="Junior running",
        net=Decimal("1035.00"),
        tax=Decimal("207.00"),
        paid=Decimal("200.00"),
        due_on=date(2026, 12, 3),
    )

    context = invoice_context(invoice)

    link = context.pop("invoice_link")
    assert number_signed_by(link.partition("?key=")[2].replace("%3A", ":")) == invoice.number
    assert context == {
        "name": "Zoë Hart",
        "booking": "Junior running (monthly)",
        "invoice_number": invoice.number,
        "billed_for": invoice.billed_for,
        "amount": "£1,042.00",
        "due_on": "Thursday 3 December 2026",
        "locks_on": "Monday 14 December 2026",
        "paid_amount": "£200.00",
        "paid_on": "",
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"is_paid": True}, "Invoice {} is paid."),
        ({"status": Invoice.Status.CANCELLED}, "Invoice {} was cancelled."),
    ],
)
def test_says_why_an_invoice_needs_no_payment_any_more(
    fields: dict[str, Any], why: str | None
) -> None:
    invoice = InvoiceFactory.create(**fields)

    answer = why_gone(invoice_context(invoice))

    assert answer == (why and why.format(invoice.number))


def test_an_invoice_that_is_gone_needs_no_payment() -> None:
    assert why_gone({"invoice_number": "EGAC-1999-00001"}) == "There is no invoice EGAC-1999-00001."


def why_gone(context: dict[str, str]) -> str | None:
    return why_not_to_pay(context, invoices_named([context]))


@pytest.mark.django_db(transaction=True)
def test_an_invoice_paid_between_queueing_and_sending_sends_nothing(
    provider: ProviderServer,
) -> None:
    invoice = InvoiceFactory.create()
    payload = email_payload(
        "invoice_issued", to="zoe@families.example", context=invoice_context(invoice)
    )
    enqueue([Message("invoice_issued", payload, key="asked", relevance=STILL_TO_PAY)])
    Invoice.objects.update(status=Invoice.Status.PAID, paid=invoice.total, paid_on=invoice.due_on)

    run_pass(limit=10, seconds=30)

    row = Notification.objects.get()
    assert (row.status, row.reason) == (Notification.Status.CANCELLED, "irrelevant")
    assert provider.resend.calls == []
