"""What is decided once for all that are alike is what would be decided of each."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import month_ahead as ahead
from billing.access import bookings_to_look_at
from billing.expected import LONGEST_PLAIN, PLAIN_ADDRESS
from billing.models import Invoice, StepTaken
from billing.month_ahead import Day, Source, counted_days
from bookings.models import Booking, BookingEvent, Customer
from egac.mail import is_usable
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, CustomerFactory

FIRST = date(2026, 12, 1)


def figures(days: list[Day]) -> dict[tuple[date, str], tuple[int, dict[str, Decimal]]]:
    sections = [(day.on, each) for day in days for each in day.sections.values()]
    return {(on, each.title): (each.count, each.amounts) for on, each in sections}


def a_club() -> None:
    """Make bookings that differ in all that is read of them, three of each kind."""
    for days in (1, 3, 20, 31):
        through_on = FIRST + timedelta(days=days - 10)
        for fields in (
            {},
            {"price": None},
            {"price": Decimal("12.34"), "currency": "EUR"},
            {"access_status": Booking.Access.LOCKED},
            {"billing_anchor_on": None},
            {"billed_through_on": None},
            {"billing_anchor_on": date(2026, 1, 31)},
            {"package": None},
            {"customer__email": "", "customer__phone": ""},
            {"customer__email": "no address"},
        ):
            anchored = {"billing_anchor_on": through_on + timedelta(days=1)}
            for _ in range(3):
                BookingFactory.create(**{"billed_through_on": through_on, **anchored, **fields})


def unlike_the_others() -> None:
    """Give some of them what a verdict reads beside their own rows."""
    *_, locked, billed = Booking.objects.filter(price=42).order_by("pk")[:9]
    BookingEvent.objects.create(
        booking=locked,
        kind=BookingEvent.Kind.ACCESS,
        old=Booking.Access.ACTIVE,
        new=Booking.Access.LOCKED,
        at="2026-12-05T12:00Z",
    )
    assert billed.billed_through_on is not None
    InvoiceFactory.create(
        booking=billed,
        period_starts_on=billed.billed_through_on + timedelta(days=1),
        period_ends_on=billed.billed_through_on + timedelta(days=30),
    )


def unpaid() -> None:
    for days in (-20, -9, -9, 0, 3, 3, 25):
        for _ in range(2):
            InvoiceFactory.create(due_on=FIRST + timedelta(days=days))
    for invoice in Invoice.objects.order_by("pk")[:5]:
        for step, channel in (
            ("reminder", "email"),
            ("reminder", "whatsapp"),
            ("overdue", "email"),
        ):
            StepTaken.objects.create(invoice=invoice, step=step, channel=channel, taken_on=FIRST)
    Booking.objects.filter(pk__in=bookings_to_look_at(FIRST)[::3]).update(
        access_status="overdue_grace"
    )


@pytest.mark.django_db
def test_what_is_decided_alike_is_what_is_decided_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    a_club()
    unlike_the_others()
    unpaid()
    told = figures(counted_days(FIRST))
    each = [
        Source(
            lambda *days, of=source: [[key] for ids in of.alike(*days) for key in ids],
            source.lines_of,
        )
        for source in ahead.SOURCES
    ]
    monkeypatch.setattr(ahead, "SOURCES", each)

    alone = figures(counted_days(FIRST))

    assert told == alone
    assert len(told) > 25
    assert max(count for count, _ in told.values()) > 3


@pytest.mark.django_db
def test_the_many_are_decided_in_few_groups() -> None:
    a_club()
    source = ahead.SOURCES[0]

    groups = list(source.alike(FIRST, ahead.last_of(FIRST)))

    assert sum(map(len, groups)) > 100
    assert len([ids for ids in groups if len(ids) >= 3]) > 20


@settings(deadline=None, max_examples=300)
@given(st.from_regex(PLAIN_ADDRESS) | st.emails())
def test_a_plain_address_can_be_written_to(address: str) -> None:
    if re.fullmatch(PLAIN_ADDRESS, address.strip()) and len(address) <= LONGEST_PLAIN:
        assert is_usable(address)


@pytest.mark.django_db
def test_the_database_knows_plain_addresses_from_others() -> None:
    for address in (
        "mia@club.example",
        "mia.o-b+x@sub.club.example",
        "",
        "no address",
        "a@b",
        "@x.y",
    ):
        CustomerFactory.create(email=address)

    plain = Customer.objects.filter(email__regex=PLAIN_ADDRESS).order_by("pk")

    assert [each.email for each in plain] == ["mia@club.example", "mia.o-b+x@sub.club.example"]
