"""What could not be billed raises one alert, which names bookings, and closes once it can."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services import generate_monthly_invoices
from billing.watching import watch_billing
from egac.moment import Moment
from tests.bookings.factories import BookingFactory

pytestmark = pytest.mark.django_db

RAISED = date(2026, 11, 28)  # when the period of the factory's booking is raised
NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)


def test_finds_nothing_where_everything_was_billed() -> None:
    BookingFactory.create()

    generate_monthly_invoices(RAISED)

    assert list(watch_billing(Moment(NOW))) == []


def test_names_each_booking_with_its_reason_and_no_person() -> None:
    booking = BookingFactory.create(customer__name="Zoë Hart", price=None)

    generate_monthly_invoices(RAISED)

    [finding] = watch_billing(Moment(NOW))
    assert finding.sentence == (
        f"1 booking could not be billed or reminded: booking {booking.pk} (It has no price)."
    )


def test_names_five_and_counts_the_rest() -> None:
    BookingFactory.create_batch(7, price=None)

    generate_monthly_invoices(RAISED)

    with CaptureQueriesContext(connection) as asked:
        [finding] = watch_billing(Moment(NOW))
    assert asked.captured_queries[-1]["sql"].endswith("LIMIT 5")
    assert finding.sentence.startswith("7 bookings could not")
    assert finding.sentence.endswith(" and 2 more.")


def test_is_over_once_a_run_can_bill_it() -> None:
    booking = BookingFactory.create(price=None)
    generate_monthly_invoices(RAISED)
    type(booking).objects.filter(pk=booking.pk).update(price=Decimal(30))

    generate_monthly_invoices(RAISED)

    assert list(watch_billing(Moment(NOW))) == []
