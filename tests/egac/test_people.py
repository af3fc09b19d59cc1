"""A person is found by whatever is known of them, and joined over all apps by address or number."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import Customer
from egac.people import Asked, asked_in
from egac.people_in_tables import PeopleIn
from invites.models import Enquiry
from notifications.models import Notification
from tests.bookings.factories import CustomerFactory
from tests.invites.factories import EnquiryFactory, InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.staff import login

pytestmark = pytest.mark.django_db

SEARCH = "/admin/egac/person/"


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def found(client: Client, typed: str) -> list[str]:
    """Return the names of whom a search finds."""
    return [each["name"] for each in client.get(f"{SEARCH}?q={quote(typed)}").context["people"]]


def person(client: Client, id: str, query: str = "") -> Any:
    return client.get(f"{SEARCH}{id}/{query}")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("  Zoë  O'Con ", Asked(words=("zoë", "o", "con"))),
        ("Amelia@Families.example", Asked(address="amelia@families.example")),
        ("07700 900123", Asked(number="+447700900123")),
        ("+44 (7700) 900-123", Asked(number="+447700900123")),
        ("4711", Asked(key="4711")),
        ("a", Asked()),
        ("", Asked()),
        ("!:*&", Asked()),
    ],
)
def test_what_was_typed_is_read_as_what_it_looks_like(typed: str, asked: Asked) -> None:
    assert asked_in(typed) == asked


@pytest.mark.parametrize(
    "typed", ["zoë hart", "har zo", "ZOE@families.example", "+44 7700 900123", "(07700) 900 123"]
)
def test_a_person_is_found_in_any_app_by_name_address_or_number(
    operator: Client, typed: str
) -> None:
    EnquiryFactory(name="Zoë Hart", email="Zoe@families.example", phone="07700 900123")
    CustomerFactory.create(name="Zoë Hart", email="zoe@families.example", phone="+447700900123")
    CustomerFactory.create(name="Noah Harper", phone="07700 800123")

    assert found(operator, typed) == ["Zoë Hart"]


def test_a_person_is_found_by_the_id_of_what_is_theirs(operator: Client) -> None:
    invite = InviteFactory(enquiry__name="Zoë Hart")
    customer = CustomerFactory.create(name="Noah Hart")
    message = queue(email("isla@families.example"))

    by_ids = [found(operator, str(row.pk)) for row in (invite, invite.enquiry, message)]

    assert by_ids[:2] == [["Zoë Hart"], ["Zoë Hart"]]
    assert "No name" in by_ids[2]
    assert "Noah Hart" in found(operator, str(customer.pk))


def test_who_is_known_by_a_message_alone_is_found_by_its_address(operator: Client) -> None:
    row = queue(whatsapp("+447700900777"))

    page = text(operator.get(f"{SEARCH}?q=07700%20900777"))

    assert f"{SEARCH}notification-{row.pk}/" in page
    assert "by WhatsApp: queued" in text(person(operator, f"notification-{row.pk}"))


def test_a_search_that_finds_nobody_says_what_to_write(operator: Client) -> None:
    assert "Nobody is known by “Nobody”" in text(operator.get(f"{SEARCH}?q=Nobody"))
    assert "Whom you search shows here" in text(operator.get(SEARCH))


def test_many_of_a_name_are_cut_and_it_says_so(operator: Client) -> None:
    for _ in range(25):
        CustomerFactory.create(name="Amelia Hart")

    answer = operator.get(f"{SEARCH}?q=amelia")

    assert len(answer.context["people"]) == 20
    assert "write more of the name" in text(answer)


def test_the_search_stands_on_every_page_for_who_may_use_it(operator: Client) -> None:
    page = text(operator.get("/admin/invites/invite/"))

    assert 'method="get" action="/admin/egac/person/" role="search"' in page
    assert 'role="search" aria-label="People"' not in text(login().get("/admin/"))


# Whose rows, and who may look at which


def test_rows_with_one_address_are_one_person(operator: Client) -> None:
    enquiry = EnquiryFactory(name="Zoë Hart", email="zoe@families.example", phone=None)
    CustomerFactory.create(name="Zoë H.", email="Zoe@families.example", phone="07700 900124")
    queue(whatsapp("+447700900124"))

    page = text(person(operator, f"enquiry-{enquiry.pk}"))

    assert "Zoë H." in page
    assert "Became a customer" in page
    assert "Enquired" in page
    assert "by WhatsApp: queued" in page


def test_a_number_alone_joins_rows_and_a_name_alone_does_not(operator: Client) -> None:
    EnquiryFactory(name="Zoë Hart", email="zoe@families.example", phone="07700 900124")
    CustomerFactory.create(name="Z. Hart", email="work@families.example", phone="+447700900124")
    CustomerFactory.create(name="Zoë Hart", email="other@families.example", phone="")

    names = found(operator, "hart")

    assert sorted(names) in (["Z. Hart, Zoë Hart", "Zoë Hart"], ["Zoë Hart", "Zoë Hart, Z. Hart"])


def test_each_sees_only_the_parts_they_may_see() -> None:
    enquiry = EnquiryFactory(email="zoe@families.example")
    CustomerFactory.create(name="Zoë of the bookings", email="zoe@families.example")
    queue(email("zoe@families.example"))
    user = get_user_model().objects.create_user("limited", is_staff=True)
    codes = ["view_person", "view_enquiry", "see_addresses"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(user)

    page = text(person(client, f"enquiry-{enquiry.pk}"))

    assert "Enquired" in page
    assert "bookings" not in page
    assert "queued" not in page
    assert person(client, "customer-1").status_code == 302


@pytest.mark.parametrize("id", ["customer-0", "nobody", "enquiry-x", "notification-x", "x-1"])
def test_a_row_that_is_not_there_is_nobody(operator: Client, id: str) -> None:
    answer = operator.get(f"{SEARCH}{id}/", follow=True)

    assert "Nobody is known by that row" in text(answer)


# However much there is


def test_a_long_story_is_paged_and_says_what_is_left_out(operator: Client) -> None:
    customer = CustomerFactory.create(email="zoe@families.example")
    payload = email("zoe@families.example")
    rows = [Notification(type="invoice_issued", payload=payload) for _ in range(230)]
    Notification.objects.bulk_create(rows)

    first = person(operator, f"customer-{customer.pk}")
    last = person(operator, f"customer-{customer.pk}", "?page=99")

    assert "1 to 100 of 201" in text(first)
    assert "Left out: 30 older messages." in text(first)
    assert "201 to 201 of 201" in text(last)


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as taken:
        client.get(url)
    return len(taken)


def test_the_pages_take_a_fixed_number_of_queries(operator: Client) -> None:
    customer = CustomerFactory.create(name="Zoë Hart", email="zoe@families.example")
    urls = (f"{SEARCH}?q=zoe@families.example", f"{SEARCH}customer-{customer.pk}/")
    queue(email("zoe@families.example"))
    InviteFactory(enquiry__email="zoe@families.example")
    few = [queries_of(operator, url) for url in urls]
    for _ in range(5):
        queue(email("zoe@families.example"))
        InviteFactory(enquiry__email="zoe@families.example")
        CustomerFactory.create(name="Zoë Hart", email="zoe@families.example")

    assert [queries_of(operator, url) for url in urls] == few


@pytest.mark.parametrize("model", [Enquiry, Customer])
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (Asked(words=("zoe",)), "by_words_of_name"),
        (Asked(address="zoe@families.example"), "by_email"),
        (Asked(number="+447700900123"), "by_end_of_phone"),
    ],
)
def test_people_are_found_by_an_index(model: Any, asked: Asked, index: str) -> None:
    with CaptureQueriesContext(connection) as taken:
        PeopleIn(model).search(asked)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {taken[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
