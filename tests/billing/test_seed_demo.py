"""The invented club has invoices in every state, whatever day it is, and is made once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import TestCase
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing.models import BillingProblem, Invoice, Payment
from billing.seeding import seed_demo
from bookings.models import Booking, Customer
from bookings.services import Refused
from egac.days import business_date
from invites.models import Enquiry
from notifications.models import Notification
from tests.billing.test_runs import assert_numbers_have_no_gap
from tests.bookings.factories import CustomerFactory
from tests.invites.factories import EnquiryFactory
from tests.invites.test_commands import run

pytestmark = pytest.mark.django_db

Status, Access = Invoice.Status, Booking.Access
MOMENTS = [
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
    datetime(2027, 3, 1, 0, 0, tzinfo=UTC),
]


def lateness(on: date) -> list[int]:
    """Return how many days after its due date each unpaid invoice stands."""
    return sorted((on - due_on).days for due_on in due_dates())


def due_dates() -> list[date]:
    return list(Invoice.objects.pending().values_list("due_on", flat=True))


@pytest.mark.parametrize("now", MOMENTS)
def test_invoices_stand_in_every_state_on_any_day(now: datetime) -> None:
    seed_demo(now)

    late = lateness(business_date(now))
    assert [days for days in late if days in (-3, -2, -1)], "none of which a reminder is due"
    assert [days for days in late if 1 <= days <= 7], "none overdue"
    assert Booking.objects.filter(access_status=Access.GRACE).exists()
    assert Booking.objects.filter(access_status=Access.LOCKED).exists()
    assert Invoice.objects.filter(status=Status.PAID).count() > 40
    assert Invoice.objects.filter(status=Status.CANCELLED).count() == 1
    assert Invoice.objects.pending().filter(paid__gt=Decimal(0)).count() == 1
    assert set(Invoice.objects.values_list("kind", flat=True)) == {"monthly", "t5"}
    assert_numbers_have_no_gap()


class TestTheClub(TestCase):
    """One club, looked at from several sides."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.now = timezone.now()
        cls.today = timezone.localdate(cls.now)
        seed_demo(cls.now)

    def test_nothing_happened_in_the_future(self) -> None:
        assert not Invoice.objects.filter(issued_on__gte=self.today).exists()
        assert not Payment.objects.filter(paid_on__gt=self.today).exists()
        assert not Notification.objects.filter(sent_at__gt=self.now).exists()

    def test_what_is_old_was_sent_and_what_is_new_waits(self) -> None:
        yesterday = self.today - timedelta(days=1)
        waiting = Notification.objects.filter(status="pending")
        old = Invoice.objects.filter(issued_on__lt=yesterday).values_list("number", flat=True)

        assert Notification.objects.filter(status="completed").count() > 50
        assert {"access_locked", "access_grace"} <= set(waiting.values_list("type", flat=True))
        assert not [row.key for row in waiting if str(row.key).split("/")[1] in set(old)]

    def test_what_lacks_something_is_reported(self) -> None:
        why = list(BillingProblem.objects.filter(solved_at=None).values_list("why", flat=True))

        assert any("no price" in each for each in why)
        assert any("no billing anchor" in each for each in why)


def test_it_runs_once(settings: Settings) -> None:
    settings.DEBUG = True
    first = run("seed_demo")
    invoices = Invoice.objects.count()

    second = run("seed_demo")

    assert first[0] == second[0] == 0
    assert first[1] == f"Invented: 50 enquiries, 60 customers, {invoices} invoices.\n"
    assert second[1] == "The invented club is here.\n"
    assert Invoice.objects.count() == invoices


def test_it_refuses_where_debug_is_off(settings: Settings) -> None:
    settings.DEBUG = False

    status, _, err = run("seed_demo")

    assert (status, Customer.objects.count()) == (1, 0)
    assert "DEBUG is off" in err


@pytest.mark.parametrize("real", [CustomerFactory, EnquiryFactory])
def test_nothing_is_invented_beside_a_real_row(
    real: type[CustomerFactory], settings: Settings
) -> None:
    settings.DEBUG = True
    real.create()

    status, _, err = run("seed_demo")

    assert status == 1
    assert "real rows" in err
    assert Customer.objects.count() + Enquiry.objects.count() == 1


def test_a_booking_app_that_refuses_leaves_no_enquiry_behind() -> None:
    CustomerFactory.create()

    with pytest.raises(Refused):
        seed_demo(timezone.now())

    assert not Enquiry.objects.exists()
