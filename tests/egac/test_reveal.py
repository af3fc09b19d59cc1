"""What is masked is shown once, for a reason that stands in the history of the row."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from egac.console.confirming import LONGEST_REASON
from egac.environment import BASE_DIR
from invites.models import Invite
from tests.bookings.factories import CustomerFactory
from tests.invites.factories import EnquiryFactory, InviteFactory
from tests.notifications.factories import queue, whatsapp
from tests.staff import login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db

REVEAL = "/admin/egac/person/reveal/"
WHY = "She is on the phone."
REASON_BOX = re.compile(r'<input[^>]* name="reason"[^>]*>')


@pytest.fixture
def viewer() -> Client:
    return login("Viewers")


def invite() -> Invite:
    return InviteFactory(enquiry=EnquiryFactory(email="amelia@families.example"))


def page_of_row(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_page_is_shown_once_and_the_look_is_kept(viewer: Client) -> None:
    row = invite()
    page = page_of_row(row)

    answer = viewer.post(REVEAL, {"page": page, "reason": WHY})

    assert "amelia@families.example" in text(answer)
    assert "no-store" in answer["Cache-Control"]
    assert "amelia@families.example" not in text(viewer.get(page))
    entry = LogEntry.objects.get()
    assert entry.object_id == str(row.pk)
    assert entry.get_change_message() == f"Revealed. Reason: {WHY}"


def test_a_masked_page_says_so_and_offers_to_show_it(viewer: Client) -> None:
    page = text(viewer.get(page_of_row(invite())))

    assert "a•••@f•••.example" in page
    assert 'action="/admin/egac/person/reveal/"' in page


def test_for_a_reason_that_is_too_long_nothing_is_shown(viewer: Client) -> None:
    page = page_of_row(invite())

    answer = viewer.post(REVEAL, {"page": page, "reason": "x" * 201}, follow=True)

    assert "201 characters and at most 200 are kept" in text(answer)
    assert "amelia@families.example" not in text(answer)
    assert not LogEntry.objects.exists()


def test_every_box_for_a_reason_takes_as_much_as_is_kept(viewer: Client) -> None:
    templates = (BASE_DIR / "templates").rglob("*.html")
    boxes = [box for each in templates for box in REASON_BOX.findall(each.read_text())]

    page = text(viewer.get(page_of_row(invite())))

    assert len(boxes) >= 4
    assert [box for box in boxes if 'maxlength="{{ longest_reason }}"' not in box] == []
    assert f'maxlength="{LONGEST_REASON}"' in REASON_BOX.findall(page)[0]


def test_a_message_is_revealed_with_what_it_says(viewer: Client) -> None:
    row = queue(whatsapp("+447700900123"))
    page = page_of_row(row)

    answer = viewer.post(REVEAL, {"page": page, "reason": WHY})

    assert "+447700900123" in text(answer)
    assert "+44 •••• ••23" in text(viewer.get(page))
    assert "+447700900123" not in text(viewer.get(page))


def test_a_person_is_revealed_and_their_page_tells_who_looked(viewer: Client) -> None:
    customer = CustomerFactory.create(email="zoe@families.example")
    page = f"/admin/egac/person/customer-{customer.pk}/"

    answer = viewer.post(REVEAL, {"page": page, "reason": WHY})

    assert "zoe@families.example" in text(answer)
    assert f"Revealed. Reason: {WHY}" in text(viewer.get(page))


@pytest.mark.parametrize(
    ("posted", "status"),
    [
        ({}, 302),
        ({"reason": " "}, 302),
        ({"reason": WHY, "page": "/admin/"}, 404),
        ({"reason": WHY, "page": "/admin/invites/invite/"}, 404),
        ({"reason": WHY, "page": "/invoices/EGAC-2026-00001"}, 404),
        ({"reason": WHY, "page": "/admin/invites/invite/nobody/change/"}, 404),
        ({"reason": WHY, "page": "https://elsewhere.example/"}, 404),
    ],
)
def test_without_a_reason_or_a_row_nothing_is_shown_or_kept(
    viewer: Client, posted: dict[str, str], status: int
) -> None:
    answer = viewer.post(REVEAL, {"page": page_of_row(invite()), **posted})

    assert answer.status_code == status
    assert "amelia" not in text(answer)
    assert not LogEntry.objects.exists()


def test_looking_with_a_get_shows_and_changes_nothing(viewer: Client) -> None:
    row = invite()
    viewer.get("/admin/")
    before = everything_stored()

    answer = viewer.get(REVEAL, {"page": page_of_row(row), "reason": WHY})

    assert answer.status_code == 302
    assert everything_stored() == before


def test_a_reveal_changes_nothing_but_the_history(viewer: Client) -> None:
    row = invite()
    before = everything_stored()

    viewer.post(REVEAL, {"page": page_of_row(row), "reason": WHY})

    after = everything_stored()
    assert {table for table in after if after[table] != before[table]} == {"django_admin_log"}


def test_who_may_not_see_a_row_cannot_reveal_it() -> None:
    answer = login().post(REVEAL, {"page": page_of_row(invite()), "reason": WHY})

    assert answer.status_code == 403
    assert not LogEntry.objects.exists()
