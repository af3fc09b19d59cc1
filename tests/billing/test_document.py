"""What an invoice says in each of its states, in words that are ready to be read."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billing.document import ASK_US, document_of, percent_in_words
from billing.models import Invoice, InvoiceLine
from tests.billing.factories import InvoiceFactory

pytestmark = pytest.mark.django_db


def invoice(**fields: Any) -> Invoice:
    """Return an invoice over £40.00 for one class at 20 % tax."""
    amounts = {"net": Decimal("33.33"), "tax": Decimal("6.67"), "due_on": date(2026, 11, 27)}
    made = InvoiceFactory.create(**{**amounts, **fields})
    InvoiceLine.objects.create(
        invoice=made,
        position=1,
        description="Junior running on Tuesday 3 November 2026",
        unit_price=Decimal("33.33"),
        tax_percent=Decimal("20.00"),
        net=Decimal("33.33"),
        tax=Decimal("6.67"),
    )
    return Invoice.objects.get(pk=made.pk)


def test_a_line_shows_its_price_its_tax_and_its_amount() -> None:
    told = document_of(invoice())

    assert told.lines == (
        (
            ("Description", "Junior running on Tuesday 3 November 2026"),
            ("Quantity", "1"),
            ("Price", "£33.33"),
            ("Tax", "£6.67 (20%)"),
            ("Amount", "£33.33"),
        ),
    )
    assert told.totals == (("Amount without tax", "£33.33"), ("Tax", "£6.67"), ("Total", "£40.00"))


@pytest.mark.parametrize(
    ("fields", "standing", "last"),
    [
        ({}, "Please pay £40.00 by Friday 27 November 2026.", ("Total", "£40.00")),
        (
            {"paid": Decimal("15.00")},
            "Please pay £25.00 by Friday 27 November 2026.",
            ("Left to pay", "£25.00"),
        ),
        (
            {"is_paid": True, "paid_on": date(2026, 11, 25)},
            "Paid on Wednesday 25 November 2026. Thank you: there is nothing more to do.",
            ("Left to pay", "£0.00"),
        ),
        (
            {"status": "cancelled", "cancelled_at": datetime(2026, 11, 23, 23, 30, tzinfo=UTC)},
            "This invoice was cancelled on Monday 23 November 2026. There is nothing to pay.",
            ("Total", "£40.00"),
        ),
        ({"currency": "CHF"}, "Please pay 40.00 CHF by Friday 27 November 2026.", None),
    ],
)
def test_it_says_what_is_to_be_done(
    fields: dict[str, Any], standing: str, last: tuple[str, str] | None
) -> None:
    told = document_of(invoice(**fields))

    assert told.standing == standing
    assert last is None or told.totals[-1] == last


@pytest.mark.parametrize(("state", "is_told"), [("pending", True), ("cancelled", False)])
def test_it_says_how_to_pay_while_there_is_something_to_pay(
    state: str, is_told: bool, settings: Settings
) -> None:
    settings.INVOICE_PAYMENT_DETAILS = "Bank transfer to EGAC\nSort code 00-00-00"

    told = document_of(invoice(status=state, number="EGAC-2026-00042"))

    how = ("Bank transfer to EGAC", "Sort code 00-00-00", "Reference: EGAC-2026-00042")
    assert told.how_to_pay == (how if is_told else ())


def test_a_club_that_has_not_said_how_to_pay_is_asked(settings: Settings) -> None:
    settings.INVOICE_PAYMENT_DETAILS = ""

    assert document_of(invoice()).how_to_pay == (ASK_US,)


def test_it_names_the_club_and_the_customer_with_their_details(settings: Settings) -> None:
    settings.CLUB_NAME, settings.CLUB_DETAILS = "EGAC", "Imberhorne Lane\nVAT number GB 1"
    settings.REPLY_TO = "office@club.example"

    told = document_of(invoice(billed_to="Amelia Hart\n12 High Street\n\nEast Grinstead"))

    assert told.club == ("EGAC", "Imberhorne Lane", "VAT number GB 1")
    assert told.billed_to == ("Amelia Hart", "12 High Street", "East Grinstead")
    assert "office@club.example" in told.contact


@pytest.mark.parametrize(
    ("percent", "words"),
    [("0.00", "0%"), ("5.00", "5%"), ("12.50", "12.5%"), ("20.00", "20%"), ("100.00", "100%")],
)
def test_a_percentage_has_no_idle_noughts(percent: str, words: str) -> None:
    assert percent_in_words(Decimal(percent)) == words
