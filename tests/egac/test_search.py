"""What staff type is found by the beginnings of words, or as a whole address, number or id."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from egac import search
from egac.search import MOST_WORDS, prefix_query
from invites.models import Enquiry, Invite
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, CustomerFactory
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp

pytestmark = pytest.mark.django_db
HUGE = "word " * 100_000


def found(model: Any, typed: str) -> list[Any]:
    """Return the rows that the list of the admin finds."""
    of = admin.site._registry[model]
    request = RequestFactory().get("/")
    rows, _ = of.get_search_results(request, model.objects.all(), typed)
    return list(rows)


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("Zoë Hart", "zoë:* & hart:*"),
        ("zoe@families.example", "zoe:* & families:* & example:*"),
        ("O'Brien & !x | (y) <-> z:*", "o:* & brien:* & x:* & y:* & z:*"),
        ("🏃 …", ""),
        ("nul\0within", "nul:* & within:*"),
    ],
)
def test_what_is_typed_becomes_beginnings_of_words(typed: str, query: str) -> None:
    assert prefix_query(typed) == query


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_the_database_takes_every_query(typed: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsquery('simple', %s)", [prefix_query(typed)])

    assert prefix_query(typed).count("&") < MOST_WORDS


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("zoë", True),
        ("ZOË ha", True),
        ("hart zoë", True),
        ("art", False),
        ("zoe.hart@families.example", True),
        ("ZOE.HART@families.example", True),
        ("zoe.hart@families", False),
        ("families", False),
        ("07700 900", False),
        ("07700 900123", True),
        ("+44 7700 900123", True),
        ("17700 900123", False),
        ("zoë smith", False),
        ("'", False),
    ],
)
def test_an_enquiry_is_found_by_its_name_or_by_a_whole_address_or_number(
    typed: str, is_found: bool
) -> None:
    invite = InviteFactory(
        enquiry__name="Zoë Hart",
        enquiry__email="zoe.hart@families.example",
        enquiry__phone="07700 900123",
    )

    assert found(Enquiry, typed) == ([invite.enquiry] if is_found else [])
    assert found(Invite, typed) == ([invite] if is_found else [])


@pytest.mark.parametrize(
    "typed",
    [
        "payment_reminder",
        "amelia h",
        "Person@club.example",
        "inv-7",
        "+447700900123",
        "07700 900123",
    ],
)
def test_a_message_is_found_by_type_recipient_name_or_number(typed: str) -> None:
    about_payment = Notification.objects.create(type="payment_reminder", payload={})
    named = queue(email(to="person@club.example", context={"name": "Amelia Hart"}))
    numbered = queue(email(to="b@club.example", context={"invoice_number": "INV-7"}))
    by_whatsapp = queue(whatsapp(to="+447700900123"))
    expected = {
        "payment_reminder": about_payment,
        "amelia h": named,
        "Person@club.example": named,
        "inv-7": numbered,
        "+447700900123": by_whatsapp,
        "07700 900123": by_whatsapp,
    }

    assert found(Notification, typed) == [expected[typed]]


def test_an_invoice_is_found_by_its_number_and_its_customer() -> None:
    invoice = InvoiceFactory.create(booking=BookingFactory.create(customer__name="Zoë Hart"))
    InvoiceFactory.create(booking=BookingFactory.create(customer__name="Bea Moss"))
    model = type(invoice)

    assert found(model, invoice.number) == [invoice]
    assert found(model, "hart") == [invoice]


def test_the_many_are_found_as_the_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    customers = [CustomerFactory.create(name=f"Zoë Hart {n}") for n in range(4)]
    monkeypatch.setattr(search, "FEW", 2)

    assert set(found(type(customers[0]), "zoë")) == set(customers)


@pytest.mark.parametrize(
    "payload",
    [
        "[1]",
        '"text"',
        "3",
        '{"context": "no object", "to": 4}',
        f'{{"context": {{"name": "{HUGE}"}}}}',
    ],
    ids=lambda payload: payload[:20],
)
def test_other_programs_may_queue_what_they_like(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_queue (status, type, payload) VALUES ('failed', 'x', %s)",
            [payload],
        )

    assert len(found(Notification, "x")) == 1


def test_the_website_may_write_what_it_likes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO enquiries (name, email) VALUES (%s, NULL)", [HUGE])

    assert len(found(Enquiry, "word")) == 1
