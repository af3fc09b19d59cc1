"""What staff type is found by the beginnings of words, or as a whole address, number or id."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from egac import people, search
from egac.search import MOST_WORDS, prefix_query
from invites.models import Enquiry, Invite
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, CustomerFactory
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.staff import login

pytestmark = pytest.mark.django_db
HUGE = "word " * 100_000
AMELIA = "/admin/notifications/notification/?q=amelia"


def found(model: Any, typed: str) -> list[Any]:
    """Return the rows that the list of the admin finds."""
    of = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
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
    ["amelia h", "Person@club.example", "+447700900123", "07700 900123", "bea", "ID"],
)
def test_a_message_is_found_by_whom_it_goes_to_or_its_id(typed: str) -> None:
    CustomerFactory.create(name="Amelia Hart", email="person@club.example", phone="07700 900123")
    InviteFactory(enquiry__name="Bea Moss", enquiry__email="bea@club.example")
    to_amelia = queue(email(to="PERSON@club.example"))
    by_whatsapp = queue(whatsapp(to="+447700900123"))
    to_bea = queue(email(to="bea@club.example"))
    expected = {
        "amelia h": {to_amelia, by_whatsapp},
        "Person@club.example": {to_amelia},
        "+447700900123": {by_whatsapp},
        "07700 900123": {by_whatsapp},
        "bea": {to_bea},
        "ID": {to_bea},
    }

    assert set(found(Notification, str(to_bea.pk) if typed == "ID" else typed)) == expected[typed]


def test_of_a_name_that_many_bear_the_list_says_that_it_shows_the_messages_of_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(2):
        CustomerFactory.create(name=f"Amelia Hart {number}")
    viewer, said = login("Viewers"), "Many people are called so"
    of_few = viewer.get(AMELIA).content.decode()
    monkeypatch.setattr(people, "MOST_NAMED", 2)

    of_many = viewer.get(AMELIA).content.decode()

    assert (said in of_few, said in of_many) == (False, True)


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
    ["[1]", '"text"', "3", '{"channel": "pigeon", "to": 4}', f'{{"channel": "{HUGE}"}}'],
    ids=lambda payload: payload[:20],
)
def test_other_programs_may_queue_what_they_like(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_queue (status, type, payload) VALUES ('failed', 'x', %s)",
            [payload],
        )

    assert Notification.objects.get().recipient == ""


def test_the_website_may_write_what_it_likes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO enquiries (name, email) VALUES (%s, NULL)", [HUGE])

    assert len(found(Enquiry, "word")) == 1
