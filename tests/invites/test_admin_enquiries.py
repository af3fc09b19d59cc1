"""Adding people and invites by hand, and CSV files in and out."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from invites.models import Enquiry, Invite
from tests.forms import opened
from tests.invites.factories import EnquiryFactory, InviteFactory, make_invites
from tests.invites.staff_pages import LIST, message_of, page_of
from tests.staff import login

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def test_an_invite_added_by_hand_waits_to_be_sent(operator: Client) -> None:
    person = EnquiryFactory()

    answer = operator.post(f"{LIST}add/", {"enquiry": str(person.pk)}, follow=True)

    invite = Invite.objects.get()
    assert (invite.status, invite.enquiry) == (Status.PENDING, person)
    assert "was added. The next run sends it" in message_of(answer)


def test_a_person_is_not_invited_twice_while_one_invite_waits(operator: Client) -> None:
    waiting = InviteFactory()

    page = operator.post(f"{LIST}add/", {"enquiry": str(waiting.enquiry_id)})

    assert "waits to be sent already" in page_of(page)
    assert Invite.objects.count() == 1


def test_an_enquiry_is_added_once(operator: Client) -> None:
    form = {"name": "Amelia", "email": "amelia@club.example", **NO_INVITES}
    operator.post("/admin/invites/enquiry/add/", form)

    page = operator.post("/admin/invites/enquiry/add/", {**form, "name": " amelia"})

    assert "There is an enquiry of" in page_of(page)
    assert Enquiry.objects.get().phone is None


def test_changing_an_address_saves_the_address_and_nothing_else(operator: Client) -> None:
    person = EnquiryFactory(email="old@club.example")
    url = f"/admin/invites/enquiry/{person.pk}/change/"
    form = opened(operator, url)
    Enquiry.objects.update(processed=True)  # by the website

    operator.post(url, {**form, "email": "new@club.example"})

    person.refresh_from_db()
    assert (person.email, person.processed) == ("new@club.example", True)


NO_INVITES = {"invites-TOTAL_FORMS": "0", "invites-INITIAL_FORMS": "0"}
FILE = (
    "name,email,note\n"
    "Amelia,amelia@club.example,=HYPERLINK(1)\n"
    "Nobody,,\n"
    "Bea,bea@club.example,<script>alert(1)</script>\n"
)


def upload(client: Client, text: bytes) -> Any:
    file = SimpleUploadedFile("people.csv", text, content_type="text/csv")
    return client.post("/admin/invites/enquiry/import/", {"import_file": file, "format": "0"})


def test_an_import_shows_what_would_come_of_it_and_saves_nothing(operator: Client) -> None:
    answer = upload(operator, FILE.encode())

    page = page_of(answer)
    assert "2 new, 0 already there, 1 refused." in page
    assert "line 3" in page
    assert "&lt;script&gt;" in page
    assert not Enquiry.objects.exists()


def test_a_confirmed_import_saves_the_good_lines_once(operator: Client) -> None:
    confirmation = upload(operator, FILE.encode()).context["confirm_form"].initial
    url = "/admin/invites/enquiry/process_import/"

    first = operator.post(url, confirmation, follow=True)
    second = operator.post(url, confirmation, follow=True)

    assert message_of(first) == "Import finished: 2 new, 0 already there, 1 refused."
    assert message_of(second) == "Nothing was imported: the file is gone. Choose it again."
    assert Enquiry.objects.count() == 2
    assert LogEntry.objects.count() == 2


def test_an_import_reads_no_file_but_the_one_that_was_previewed(operator: Client) -> None:
    confirmation = upload(operator, FILE.encode()).context["confirm_form"].initial
    forged = {**confirmation, "import_file_name": "passwords.csv"}

    page = operator.post("/admin/invites/enquiry/process_import/", forged)

    assert "This is no file that was previewed." in page_of(page)
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize("text", [b"", "name,email\nå,b@c.example".encode("utf-16"), b"a,b\n1,2"])
def test_a_file_that_cannot_be_used_is_a_sentence(operator: Client, text: bytes) -> None:
    page = page_of(upload(operator, text))

    errors = re.findall(r'<strong class="ops-warning"[^>]*>(.*?)</strong>', page)
    assert len(errors) == 1
    assert " " in errors[0]
    assert "Error" not in errors[0]


def test_an_export_is_harmless_and_stands_in_the_log(operator: Client) -> None:
    EnquiryFactory(name="=HYPERLINK(1)")

    answer = operator.post("/admin/invites/enquiry/export/", {"format": "0"})

    assert "'=HYPERLINK(1)" in answer.content.decode()
    assert LogEntry.objects.get().change_message == "Exported 1 enquiries to a CSV file."


def test_the_list_of_enquiries_takes_a_fixed_number_of_queries(operator: Client) -> None:
    make_invites(3)
    with CaptureQueriesContext(connection) as few:
        operator.get("/admin/invites/enquiry/")
    make_invites(40)

    with CaptureQueriesContext(connection) as many:
        operator.get("/admin/invites/enquiry/")

    assert len(many) == len(few)
