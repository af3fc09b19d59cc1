"""What waits to be sent about an invoice asks for what is left to pay."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models.functions import Now

from billing.models import Invoice, Payment
from billing.services import Received, Written, issue_invoice, record_payment
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, CustomerFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)


def issued() -> Invoice:
    booking = BookingFactory.create(customer=CustomerFactory.create(agreed=True))
    written = [Written("A vest", Decimal("100.00"))]
    return issue_invoice(booking, written=written, on=TODAY, due_on=date(2026, 12, 8))


def pay(invoice: Invoice, amount: str) -> None:
    received = Received(Decimal(amount), "GBP", TODAY, Payment.Method.CASH)
    record_payment(invoice, received, by="ada")


def waiting(channel: str) -> dict[str, Any]:
    return Notification.objects.get(key__endswith=f"/{channel}").payload


def test_a_part_payment_is_taken_off_what_a_waiting_message_asks_for() -> None:
    invoice = issued()
    asked = waiting("whatsapp")["variables"]
    Notification.objects.update(updated_at=Now() - timedelta(days=1))

    pay(invoice, "30.00")

    left = Invoice.objects.get().left_to_pay
    assert waiting("email")["context"]["amount"] == f"£{left}"
    assert f"£{left}" in waiting("whatsapp")["variables"]
    assert waiting("whatsapp")["variables"] != asked
    assert not Notification.objects.filter(updated_at__lt=Now() - timedelta(hours=1)).exists()


def test_a_message_that_was_tried_already_keeps_its_words() -> None:
    invoice = issued()
    Notification.objects.update(rendered='{"subject": "as it was tried"}')
    before = waiting("email")

    pay(invoice, "30.00")

    assert waiting("email") == before


def test_a_message_that_is_being_sent_keeps_its_words() -> None:
    invoice = issued()
    Notification.objects.update(status=Notification.Status.PROCESSING)
    before = waiting("email")

    pay(invoice, "30.00")

    assert waiting("email") == before
