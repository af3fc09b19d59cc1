"""Rows by hundreds of keys: exactly those, in one value of the statement."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, Customer
from egac.keys import with_keys
from tests.bookings.factories import BookingFactory, CustomerFactory

pytestmark = pytest.mark.django_db


def test_finds_the_rows_with_these_keys_and_no_other() -> None:
    first, _, last = (CustomerFactory.create() for _ in range(3))

    found = Customer.objects.filter(with_keys([last.pk, first.pk, last.pk + 1]))

    assert set(found) == {first, last}


def test_finds_the_rows_that_point_at_these_keys() -> None:
    booking, _ = BookingFactory.create(), BookingFactory.create()

    found = Booking.objects.filter(with_keys([booking.customer_id], of="customer"))

    assert list(found) == [booking]


def test_finds_nothing_by_no_key() -> None:
    CustomerFactory.create()

    assert not Customer.objects.filter(with_keys([])).exists()


def test_many_keys_are_one_value_of_the_statement() -> None:
    with CaptureQueriesContext(connection) as asked:
        list(Customer.objects.filter(with_keys(range(500))))

    assert "= ANY('{0,1,2,3," in asked.captured_queries[0]["sql"]
