"""Invariant 15: a dry run changes nothing and tells, field by field, what the next run writes."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from billing import batches
from billing.models import Invoice
from billing.services import Written, generate_monthly_invoices, generate_t5_invoices, issue_invoice
from bookings.models import Booking, BookingEvent
from egac.days import span_in_words
from notifications.models import Notification
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory, CustomerFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 12, 3)
ENDS = ("starts", "ends")
LOCKED = Booking.Access.LOCKED
Generate = Callable[..., dict[str, Any]]
GENERATE: list[Generate] = [generate_monthly_invoices, generate_t5_invoices]


@pytest.fixture
def club(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bookings of every sort, numbers given already, and batches of 4."""
    settings.BILLING_TAX_RATE = Decimal("17.5")
    monkeypatch.setattr(batches, "BATCH", 4)
    issue_invoice(
        BookingFactory.create(status="cancelled"),
        written=[Written("A vest", Decimal(9))],
        on=TODAY,
        due_on=TODAY,
    )
    for n in range(6):
        BookingFactory.create(price=Decimal(f"33.3{n}"))
    BookingFactory.create(customer=CustomerFactory.create(agreed=True), currency="CHF")
    BookingFactory.create(
        billed_through_on=date(2026, 11, 2), customer__address="1 High Street\nEast Grinstead"
    )
    BookingFactory.create(access_status=LOCKED)  # waived
    BookingFactory.create(
        access_status=LOCKED,
        billed_through_on=TODAY + timedelta(days=1),
        billing_anchor_on=date(2026, 11, 5),
    )  # waits
    BookingFactory.create(price=Decimal("0.00"))
    BookingFactory.create(price=None, customer__name="Nobody's Price")
    BookingFactory.create(billed_through_on=date(2026, 8, 2), billing_anchor_on=date(2026, 8, 3))
    for n in range(6):
        booking = BookingFactory.create(per_class=True, price=Decimal(f"9.9{n}"))
        for day in range(n):
            a_class(booking, TODAY - timedelta(days=1 + day))
    a_class(BookingFactory.create(per_class=True, price=None), TODAY - timedelta(days=1))
    a_class(BookingFactory.create(per_class=True), TODAY - timedelta(days=1), session_ends_at=None)
    waiting = BookingFactory.create(per_class=True)
    a_class(waiting, TODAY - timedelta(days=1), attendance="expected")


def everything_stored() -> dict[str, list[Any]]:
    """Return the rows of every table."""
    stored = {}
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names()):
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{name}" AS t ORDER BY 1')
            stored[name] = cursor.fetchall()
    return stored


def row_of_stored(invoice: Invoice) -> dict[str, Any]:
    """Return a stored invoice, its lines and queued messages as a result tells them."""
    fields = Invoice.objects.values().get(pk=invoice.pk)
    told = ("status", "billed_to", "billed_for", "currency")
    days = ("issued_on", "due_on", "period_starts_on", "period_ends_on")
    queued = Notification.objects.filter(key__startswith=f"invoice_issued/{invoice.number}/")
    return {
        "booking_id": invoice.booking_id,
        "customer": invoice.customer.name,
        "booking": invoice.booking.title,
        "ok": True,
        "outcome": "invoiced",
        "invoice_number": invoice.number,
        **{name: fields[name] for name in told},
        **{name: fields[name].isoformat() if fields[name] else None for name in days},
        **{name: str(fields[name]) for name in ("net", "tax", "total")},
        "lines": [
            {
                "description": line.description,
                "quantity": line.quantity,
                "enrolment_id": line.enrolment_id,
                **{
                    name: getattr(line, name).normalize()
                    for name in ("unit_price", "tax_percent", "net", "tax")
                },
            }
            for line in invoice.lines.order_by("position")
        ],
        "messages": [
            {"type": row.type, "channel": row.payload["channel"], "to": row.payload["to"]}
            for row in queued.order_by("key")
        ],
    }


def with_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Return a told row with its lines' figures as numbers: 17.5 % is stored as 17.50 %."""
    figures = ("unit_price", "tax_percent", "net", "tax")
    lines = [
        {**line, **{name: Decimal(line[name]).normalize() for name in figures}}
        for line in row["lines"]
    ]
    return {**row, "lines": lines}


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("generate", GENERATE)
def test_15_a_dry_run_changes_no_row(generate: Generate) -> None:
    before = everything_stored()

    generate(TODAY, dry_run=True)

    assert everything_stored() == before


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("generate", GENERATE)
def test_15_a_dry_run_tells_the_result_of_the_next_run(generate: Generate) -> None:
    told = generate(TODAY, dry_run=True)

    written = generate(TODAY)

    assert told == {**written, "dry_run": True}
    assert {row["outcome"] for row in told["results"]} >= {"invoiced", "skipped", "not billed"}


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("generate", GENERATE)
def test_15_what_is_told_is_what_stands_in_the_tables_field_by_field(generate: Generate) -> None:
    before = set(Invoice.objects.values_list("pk", flat=True))
    queued_before = Notification.objects.count()
    told = generate(TODAY, dry_run=True)["results"]

    generate(TODAY)

    invoiced = [with_numbers(row) for row in told if row["outcome"] == "invoiced"]
    stored = Invoice.objects.exclude(pk__in=before).order_by("number")
    assert invoiced == [row_of_stored(invoice) for invoice in stored]
    assert len(invoiced) >= 5
    messages = sum(len(row["messages"]) for row in invoiced)
    assert Notification.objects.count() == queued_before + messages


@pytest.mark.usefixtures("club")
def test_15_what_is_waived_is_what_the_history_says() -> None:
    told = generate_monthly_invoices(TODAY, dry_run=True)["results"]

    generate_monthly_invoices(TODAY)

    waived = [
        (
            row["booking_id"],
            span_in_words(*(date.fromisoformat(row[f"period_{word}_on"]) for word in ENDS)),
            row["why"],
        )
        for row in told
        if row["outcome"] == "waived"
    ]
    lines = BookingEvent.objects.filter(kind=BookingEvent.Kind.WAIVED)
    assert waived == list(lines.values_list("booking_id", "new", "why"))
    assert len(waived) == 1
