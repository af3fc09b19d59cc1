"""A month of all dated jobs and of Zoom, and the same month again: not one row more."""

import random
from datetime import date, timedelta

import pytest
from pytest_django.fixtures import Settings

from billing.missed_days import DRY_RUNS
from billing.models import Invoice
from billing.services import (
    escalate_overdue_bookings,
    generate_monthly_invoices,
    generate_t5_invoices,
)
from bookings.models import Booking, BookingEvent, ClassSession
from bookings.services import schedule_meetings
from egac.days import start_of
from egac.providers import zoom
from egac.providers.zoom import Tokens
from notifications.models import Notification
from tests.billing.escalating import orchestrate
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory, ClassSessionFactory, EnrolmentFactory
from tests.egac.threads import side_by_side
from tests.providers.server import ProviderServer
from tests.stored import everything_stored

FIRST = date(2026, 12, 1)
MONTH = [FIRST + timedelta(days=n) for n in range(31)]
EVERY_JOB = {
    "generate_t5_invoices": generate_t5_invoices,
    "run_escalation_orchestration": lambda on: orchestrate(on, force=True),
    "generate_monthly_invoices": generate_monthly_invoices,
    "escalate_overdue_bookings": escalate_overdue_bookings,
}


@pytest.fixture
def club(
    transactional_db: None,
    provider: ProviderServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let nobody pay: bookings billed by the month are locked in it, and then waived."""
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    monkeypatch.setattr(zoom, "TOKENS", Tokens())
    for day in (1, 8, 14, 20, 29):
        BookingFactory.create(
            customer__agreed=day < 10,
            billing_anchor_on=date(2026, 10, day),
            billed_through_on=date(2026, 11, day) - timedelta(days=1),
        )
    for n in range(3):
        booking = BookingFactory.create(per_class=True)
        for week in range(4):
            a_class(booking, FIRST + timedelta(days=7 * week + n))
    for days in (3, 17):
        session = ClassSessionFactory.create(
            online=True, starts_at=start_of(FIRST) + timedelta(days=days, hours=18)
        )
        EnrolmentFactory.create(session=session)


def run_all(on: date) -> None:
    """Run every job for a business date, in the order of their hours."""
    for job in EVERY_JOB.values():
        job(on)
    schedule_meetings(start_of(on), hours=24)


def test_it_runs_every_dated_job() -> None:
    assert set(EVERY_JOB) == set(DRY_RUNS)


@pytest.mark.usefixtures("club")
def test_14_the_same_month_again_in_any_order_and_side_by_side_adds_no_row() -> None:
    for on in MONTH:
        run_all(on)
    before = everything_stored()
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    again = random.Random(seed).sample(MONTH, len(MONTH))

    side_by_side(4, lambda place: [run_all(on) for on in again[place::4]])

    assert everything_stored() == before
    assert ClassSession.objects.filter(meeting_id__isnull=False).count() == 2
    assert Booking.objects.filter(access_status=Booking.Access.LOCKED).count() > 2
    assert BookingEvent.objects.filter(kind=BookingEvent.Kind.WAIVED).exists()
    assert Invoice.objects.count() > 10
    assert Notification.objects.filter(type="staff_alert").exists()
