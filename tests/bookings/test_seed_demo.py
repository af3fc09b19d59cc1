"""The invented club is believable, relative to now, made once, and never beside real rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from bookings.models import Booking, ClassPackage, ClassSession, Customer, Enrolment
from bookings.services import Refused, seed_demo
from notifications.models import Notification
from tests.bookings.factories import ClassPackageFactory, CustomerFactory

pytestmark = pytest.mark.django_db

Status = ClassSession.Status


def test_a_club_of_sixty_with_bookings_of_both_plans() -> None:
    assert seed_demo(timezone.now()) == 60

    confirmed = Booking.objects.confirmed()
    assert Customer.objects.count() == Booking.objects.count() == 60
    assert confirmed.monthly().count() > 25
    assert confirmed.per_class().count() > 15
    assert ClassPackage.objects.count() == 4


def test_a_month_of_classes_lies_behind_with_attendance() -> None:
    now = timezone.now()

    seed_demo(now)

    behind = Enrolment.objects.filter(session__status=Status.COMPLETED)
    assert behind.filter(attendance="attended").count() > 100
    assert behind.filter(attendance="missed").count() > 10
    assert not behind.filter(attendance="expected").exists()
    assert ClassSession.objects.filter(starts_at__lt=now - timedelta(days=25)).exists()


def test_a_class_in_four_hours_is_online_and_booked() -> None:
    now = timezone.now()

    seed_demo(now)

    hours = timedelta(hours=3, minutes=58), timedelta(hours=4)
    soon = ClassSession.objects.filter(starts_at__range=[now + hours[0], now + hours[1]])
    session = soon.get(is_online=True)
    assert session.enrolments.count() > 5
    assert session.status == Status.SCHEDULED


def test_every_monthly_booking_is_billed_through_the_current_period() -> None:
    now = timezone.now()

    seed_demo(now)

    billed = Booking.objects.monthly().values_list("billed_through_on", flat=True)
    today = timezone.localdate(now)
    assert all(today <= on <= today + timedelta(days=31) for on in billed if on)


def test_some_of_it_needs_attention() -> None:
    seed_demo(timezone.now())

    assert Booking.objects.confirmed().filter(price=None).count() == 1
    assert Booking.objects.confirmed().monthly().filter(billing_anchor_on=None).count() == 1
    assert Customer.objects.filter(email="").count() == 1
    assert Customer.objects.filter(email__startswith="refused").exists()


def test_messages_wait_to_be_sent() -> None:
    seed_demo(timezone.now())

    types = Notification.objects.values_list("type", flat=True)
    assert set(types) == {"booking_confirmation"}


def test_a_second_seed_changes_nothing() -> None:
    seed_demo(timezone.now())

    assert seed_demo(timezone.now() + timedelta(days=1)) == 0
    assert Customer.objects.count() == 60


@pytest.mark.parametrize("real", [CustomerFactory, ClassPackageFactory])
def test_nothing_is_invented_beside_a_real_row(real: type[CustomerFactory]) -> None:
    real.create()

    with pytest.raises(Refused, match="real rows"):
        seed_demo(timezone.now())

    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "now",
    [
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2027, 3, 1, 0, 0, tzinfo=UTC),
        datetime(2028, 2, 28, 9, 0, tzinfo=UTC),
    ],
)
def test_the_club_can_be_invented_on_any_day(now: datetime) -> None:
    assert seed_demo(now) == 60
