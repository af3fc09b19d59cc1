"""Customers in the admin: contact data, agreement, files out."""

import io

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import Customer
from tests.bookings.factories import AGREED_AT, BookingFactory, CustomerFactory
from tests.bookings.staff_pages import CUSTOMERS, errors_of, message_of, page_of
from tests.forms import opened
from tests.staff import login

pytestmark = pytest.mark.django_db

FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def page(operator: Client, customer: Customer) -> str:
    return page_of(operator.get(f"{CUSTOMERS}{customer.pk}/change/"))


# The list


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    operator: Client,
) -> None:
    BookingFactory.create()
    with CaptureQueriesContext(connection) as few:
        operator.get(CUSTOMERS)
    for _ in range(20):
        BookingFactory.create()

    with CaptureQueriesContext(connection) as many:
        operator.get(CUSTOMERS)

    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("agreed=yes", 1),
        ("agreed=no", 1),
        ("email=none", 1),
        ("q=zo%C3%AB", 1),
        ("q=%2B447700900123", 1),
        ("q=C-7", 1),
        ("q=nobody", 0),
    ],
)
def test_the_list_is_filtered_and_searched(operator: Client, query: str, shown: int) -> None:
    CustomerFactory.create(name="Zoë Hart", phone="07700 900123", agreed=True)
    CustomerFactory.create(email="", phone="", reference="C-7")

    answer = operator.get(f"{CUSTOMERS}?{query}")

    assert answer.context["cl"].result_count == shown


# Added and changed by hand


def typed(**more: str) -> dict[str, str]:
    return {"name": "Zoë Hart", "email": "Zoe@families.example", "phone": "07700 900123", **more}


def test_a_customer_is_added_by_hand(operator: Client) -> None:
    operator.post(f"{CUSTOMERS}add/", typed())

    customer = Customer.objects.get()
    assert (customer.email, customer.whatsapp_opted_in_at) == ("zoe@families.example", None)


def test_an_agreement_is_kept_with_its_time_and_taken_back(operator: Client) -> None:
    customer = CustomerFactory.create()
    url = f"{CUSTOMERS}{customer.pk}/edit/"

    operator.post(url, {**opened(operator, url), **typed(agreed="on")})
    agreed_at = Customer.objects.get().whatsapp_opted_in_at
    operator.post(url, {**opened(operator, url), "agreed": ""})

    assert agreed_at is not None
    assert abs(timezone.now() - agreed_at).total_seconds() < 60
    assert Customer.objects.get().whatsapp_opted_in_at is None


def test_an_agreement_keeps_its_time_while_other_data_change(operator: Client) -> None:
    customer = CustomerFactory.create(phone="07700 900123", whatsapp_opted_in_at=AGREED_AT)
    url = f"{CUSTOMERS}{customer.pk}/edit/"

    operator.post(url, {**opened(operator, url), "note": "Twins"})

    customer.refresh_from_db()
    assert (customer.note, customer.whatsapp_opted_in_at) == ("Twins", AGREED_AT)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": ""}, "This field is required"),
        ({"email": "nobody"}, "valid email address"),
        ({"agreed": "on", "phone": ""}, "WhatsApp needs a number"),
        ({"agreed": "on", "phone": "call mum"}, "WhatsApp needs a number"),
        ({"name": "amelia hart", "email": "AMELIA@families.example"}, "There is a customer"),
    ],
)
def test_a_customer_that_cannot_be_is_refused(
    operator: Client, change: dict[str, str], error: str
) -> None:
    CustomerFactory.create(name="Amelia Hart", email="amelia@families.example")

    answer = operator.post(f"{CUSTOMERS}add/", typed(**change))

    assert error in errors_of(answer)
    assert Customer.objects.count() == 1


def test_what_a_person_typed_comes_out_harmless(operator: Client) -> None:
    script = "<script>alert(1)</script>"
    customer = CustomerFactory.create(name=script, note=script, address=script)

    pages = [page_of(operator.get(CUSTOMERS)), page(operator, customer)]

    assert not any(script in each for each in pages)


# Files out


def export(operator: Client, format: str) -> bytes:
    answer = operator.post(f"{CUSTOMERS}export/", {"format": format, "resource": ""})
    assert answer.status_code == 200
    return answer.content


def test_an_exported_csv_is_harmless_and_stands_in_the_log(operator: Client) -> None:
    CustomerFactory.create(name=FORMULA)

    text = export(operator, "0").decode("utf-8-sig")

    assert "'=HYPERLINK(" in text
    assert LogEntry.objects.get().change_message == "Exported 1 customers to a CSV file."


def test_an_exported_workbook_runs_nothing(operator: Client) -> None:
    CustomerFactory.create(name=FORMULA, agreed=True)

    sheet = openpyxl.load_workbook(io.BytesIO(export(operator, "1"))).active

    header, row = (list(cells) for cells in sheet.iter_rows())
    assert [cell.value for cell in header][:3] == ["id", "name", "email"]
    assert row[1].value == f"'{FORMULA}"
    assert row[1].data_type == "s"
    assert "2026-09-01 10:00 BST" in [cell.value for cell in row]


def test_a_viewer_takes_no_file() -> None:
    assert login("Viewers").post(f"{CUSTOMERS}export/", {"format": "0"}).status_code == 403


def test_a_customer_without_a_way_is_told_of(operator: Client) -> None:
    customer = CustomerFactory.create(email="", phone="")

    assert "Nobody can be told" in page(operator, customer)
    assert message_of(operator.get(f"{CUSTOMERS}4711/change/", follow=True)).startswith("There is")
