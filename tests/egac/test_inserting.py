"""Rows inserted at once: each as it was told, and the rest of it as the database has it."""

import pytest
from django.db import IntegrityError, transaction

from bookings.models import Customer
from egac.inserting import insert

pytestmark = pytest.mark.django_db

NAMES = ['Zoë "Zed" O\'Hart', "back\\slash\nand a line", "{1,2}"]


def test_returns_the_keys_in_the_order_of_the_rows() -> None:
    keys = insert(Customer, [{"name": name, "email": "a@b.example"} for name in NAMES])

    names = dict(Customer.objects.values_list("pk", "name"))
    assert [names[key] for key in keys] == NAMES


def test_leaves_to_the_database_what_is_not_named() -> None:
    [key] = insert(Customer, [{"name": "Zoë"}])

    customer = Customer.objects.get(pk=key)
    assert (customer.email, customer.reference) == ("", None)
    assert customer.created_at is not None


def test_inserts_all_of_them_or_none() -> None:
    rows = [{"name": "Zoë", "reference": "C-1"}, {"name": "Amelia", "reference": "C-1"}]

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Customer, rows)

    assert not Customer.objects.exists()


def test_inserts_nothing_without_rows() -> None:
    assert insert(Customer, []) == []
