"""The month ahead says who will be reminded, warned and locked, as the nightly runs then do."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.expected_unpaid import MOVES, OVERDUE, REMINDERS
from billing.models import StepTaken
from billing.month_ahead import DAYS, month_ahead
from billing.reminders import Access
from billing.services import run_escalation_orchestration
from bookings.models import BookingEvent
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory

pytestmark = pytest.mark.django_db

FIRST = date(2026, 12, 1)
NIGHTS = [FIRST + timedelta(days=n) for n in range(DAYS)]


def run(nights: list[date]) -> None:
    for on in nights:
        run_escalation_orchestration(on, now=timezone.now())


def told(*sections: str) -> list[Any]:
    """Return what the month ahead says under these headings."""
    days = month_ahead(FIRST, most_named=1000)
    shown = [(day, section) for day in days for section in day.sections.values()]
    return [line for _, section in shown for line in section.named if section.title in sections]


@pytest.fixture
def club() -> None:
    """Invoices of every age, some of which were reminded of before."""
    for days in range(-15, 40, 3):
        InvoiceFactory.create(due_on=FIRST + timedelta(days=days))
    run([FIRST - timedelta(days=n) for n in (9, 2)])
    BookingFactory.create(access_status=Access.LOCKED)


@pytest.mark.usefixtures("club")
def test_says_on_which_day_each_reminder_is_due() -> None:
    before = set(StepTaken.objects.values_list("pk", flat=True))
    expected = {(line.on, line.what, line.amount) for line in told(REMINDERS, OVERDUE)}

    run(NIGHTS)

    steps = StepTaken.objects.exclude(pk__in=before).select_related("invoice")
    taken = {
        (
            each.taken_on,
            f"{each.get_step_display().capitalize()}: {each.invoice}",
            each.invoice.total,
        )
        for each in steps
    }
    assert expected == taken
    assert len(expected) > 25


@pytest.mark.usefixtures("club")
def test_says_on_which_day_access_moves_and_where() -> None:
    expected = [
        (line.on, line.booking.pk, access)
        for access, section in MOVES.items()
        for line in told(section)
    ]

    moved = []
    for on in NIGHTS:
        before = BookingEvent.objects.count()
        run([on])
        moved += [(on, each.booking_id, each.new) for each in BookingEvent.objects.all()[before:]]

    assert sorted(expected) == sorted(moved)
    assert {access for *_, access in expected} == set(Access)


@pytest.mark.parametrize("fields", [{"is_paid": True}, {"status": "cancelled"}])
def test_says_nothing_of_what_is_paid_or_cancelled(fields: dict[str, Any]) -> None:
    InvoiceFactory.create(due_on=FIRST, **fields)

    assert told(REMINDERS, OVERDUE, *MOVES.values()) == []
