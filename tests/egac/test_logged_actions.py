"""The list of staff actions: who did what to which row and why, whichever page it was done on."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection
from django.test import Client

from egac.models import Suppression
from tests.bookings.factories import CustomerFactory
from tests.invites.factories import EnquiryFactory
from tests.staff import login

pytestmark = pytest.mark.django_db

PAGE = "/admin/egac/loggedaction/"


def shown(client: Client, query: str = "") -> list[str]:
    """Return the lines of the list, each as its words."""
    page = client.get(f"{PAGE}{query}").content.decode()
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    lines = [re.sub(r"<[^>]+>", " ", line) for line in body.split("</tr>")[:-1]]
    return [re.sub(r"\s+", " ", line).strip() for line in lines]


def note(client: Client, row: Any, what: str) -> None:
    who = int(client.session["_auth_user_id"])
    LogEntry.objects.log_actions(who, [row], CHANGE, what)


def test_what_no_page_of_a_row_shows_stands_there_with_who_and_why() -> None:
    manager = login("Managers")
    CustomerFactory.create()
    export = {"format": "0", "resource": "", "reason": "For the tax adviser."}
    manager.post("/admin/bookings/customer/export/", export)
    row = Suppression.objects.create(address="a@b.example", reason="bounced")
    row.refresh_from_db()
    lifted = {"seen": f"{row.pk}@{row.created_at.isoformat()}", "reason": "Her mailbox works."}
    manager.post("/admin/egac/suppression/lift/", lifted)

    newest, oldest = shown(manager)

    assert re.search(r"managers\d+ Lift: 1 of 1. Her mailbox works. a@b.example", newest)
    exported = r"managers\d+ Exported 1 customers to a CSV file. For the tax adviser. Customers"
    assert re.search(exported, oldest)


def test_it_is_searched_by_who_what_to_which_row_and_why() -> None:
    sam, kim = login("Managers"), login("Managers")
    amelia, bea = EnquiryFactory(name="Amelia Roe"), EnquiryFactory(name="Bea Ford")
    note(sam, amelia, "Changed Phone: 1 → 2. Reason: She rang.")
    note(kim, bea, "Revealed. Reason: A complaint.")
    who = sam.get(PAGE).context["user"].get_username()

    found = {term: len(shown(sam, f"?q={term}")) for term in (who, "phone", "bea", "compl", "x")}

    assert found == {who: 1, "phone": 1, "bea": 1, "compl": 1, "x": 0}


def test_a_row_is_one_press_away() -> None:
    manager, enquiry = login("Managers"), EnquiryFactory()
    note(manager, enquiry, "Changed.")

    assert f"/admin/invites/enquiry/{enquiry.pk}/change/" in manager.get(PAGE).content.decode()


@pytest.mark.parametrize(("group", "status"), [("Operators", 403), ("Managers", 200)])
def test_it_is_for_managers_and_stands_in_their_bar(group: str, status: int) -> None:
    client = login(group)

    assert client.get(PAGE).status_code == status
    bar = client.get("/admin/").content.decode().partition('aria-label="Main"')[2]
    assert (PAGE in bar.partition("</nav>")[0]) == (status == 200)


def test_its_order_its_search_and_one_persons_lines_are_served_by_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'django_admin_log'")
        names = {name for (name,) in cursor.fetchall()}

    assert {"staff_actions_by_time", "staff_actions_of_one", "staff_actions_by_words"} <= names


def test_the_person_tells_who_lifted_the_suppression_of_an_address_and_why() -> None:
    manager, enquiry = login("Managers"), EnquiryFactory(email="amelia@families.example")
    row = Suppression.objects.create(address="amelia@families.example", reason="bounced")
    row.refresh_from_db()
    lifted = {"seen": f"{row.pk}@{row.created_at.isoformat()}", "reason": "Her mailbox works."}
    manager.post("/admin/egac/suppression/lift/", lifted)

    page = manager.get(f"/admin/egac/person/enquiry-{enquiry.pk}/").content.decode()

    assert "Lift: 1 of 1. Reason: Her mailbox works." in page
    assert "amelia@families.example: bounced" in page
