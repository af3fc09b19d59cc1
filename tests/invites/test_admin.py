"""The pages of invites: what staff see of each, and who may not see what."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac.delivery import MessageAudit
from invites.models import Invite
from invites.services import retry_invites
from tests.invites.factories import InviteFactory, make_invites
from tests.invites.staff_pages import LIST, REFUSED, failed, page_of
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def test_the_list_shows_each_invite_in_words(operator: Client) -> None:
    failed(enquiry__name="Amelia Roe", enquiry__email="amelia@club.example", attempts=2)

    page = page_of(operator.get(LIST))

    assert "Amelia Roe" in page
    assert "amelia@club.example" in page
    assert "2 of 3" in page
    assert "Resend refused the address or the content (No such mailbox)" in page
    assert '<span class="ops-shape" aria-hidden="true">✕</span>failed' in page


def test_the_list_shows_the_next_try_relative_and_exact(operator: Client) -> None:
    InviteFactory(due_at=timezone.now() + timedelta(minutes=40))

    page = page_of(operator.get(LIST))

    assert re.search(r'title="\d+ \w+ \d{4} at \d\d:\d\d (GMT|BST)">\d+.minutes from now', page)


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    operator: Client,
) -> None:
    make_invites(3)
    with CaptureQueriesContext(connection) as few:
        operator.get(LIST)
    make_invites(40, status=Status.FAILED, last_error=REFUSED)

    with CaptureQueriesContext(connection) as many:
        operator.get(LIST)

    assert len(many) == len(few)
    assert len(many) <= 10


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status__exact=failed", 1),
        ("reason=permanent", 1),
        ("reason=exhausted", 0),
        ("error=yes", 1),
        ("error=no", 1),
        ("q=amelia", 1),
        ("q=other%40club.example", 1),
        ("q=abcdef", 1),
        ("q=ABCDEF", 1),
        ("q=00000000-0000-4000-8000-000000000001", 1),
        ("q=00000000-0000-4000-8000-000000000002", 0),
        ("q=nobody", 0),
    ],
)
def test_the_list_is_filtered_and_searched(operator: Client, query: str, shown: int) -> None:
    failed(
        enquiry__name="Amelia",
        token="abcdef0123456789abcdef0123456789",
        pk="00000000-0000-4000-8000-000000000001",
    )
    InviteFactory(enquiry__name="Bea", enquiry__email="other@club.example", token="f" * 32)

    answer = operator.get(f"{LIST}?{query}")

    assert answer.context["cl"].result_count == shown


def test_what_a_person_typed_comes_out_harmless(operator: Client) -> None:
    name = "<script>alert(1)</script>"
    invite = InviteFactory(enquiry__name=name, last_error={"code": "x", "message": name})

    pages = [operator.get(LIST), operator.get(f"{LIST}{invite.pk}/change/")]

    assert all(name not in page_of(page) for page in pages)


# The record


def test_the_record_tells_what_happened_in_order(
    operator: Client, provider: ProviderServer
) -> None:
    invite = InviteFactory()
    provider.resend.faults = fail_next(Fault.unavailable())
    retry_invites()
    Invite.objects.update(due_at=Now())
    retry_invites()

    page = page_of(operator.get(f"{LIST}{invite.pk}/change/"))

    events = ["Created", "Attempt 1: refused", "Attempt 2: accepted by the provider"]
    assert sorted(events, key=page.index) == events
    assert "service_unavailable" in page


def test_the_record_says_where_the_invite_stands(operator: Client) -> None:
    invite = InviteFactory(attempts=1, due_at=timezone.now() + timedelta(days=1))

    page = page_of(operator.get(f"{LIST}{invite.pk}/change/"))

    assert "Waiting: attempt 2 of 3 on " in page


def test_the_record_says_why_nothing_is_sent_now(operator: Client, settings: Settings) -> None:
    settings.RESEND_DRY_RUN = True
    invite = InviteFactory()

    page = page_of(operator.get(f"{LIST}{invite.pk}/change/"))

    assert "Held. Dry run (RESEND_DRY_RUN): no e-mail is sent." in page


def test_the_personal_link_is_shortened_everywhere(operator: Client) -> None:
    invite = InviteFactory()

    pages = [
        page_of(operator.get(url))
        for url in (
            LIST,
            f"{LIST}{invite.pk}/change/",
            f"{LIST}{invite.pk}/email/",
            f"{LIST}{invite.pk}/history/",
            f"/admin/invites/enquiry/{invite.enquiry_id}/change/",
        )
    ]

    assert all(invite.token not in page for page in pages)
    assert f"{invite.token[:6]}…" in pages[1]
    assert f"invite={invite.token[:6]}…" in pages[2]


def test_the_email_has_a_policy_of_its_own(operator: Client) -> None:
    invite = InviteFactory()

    answer = operator.get(f"{LIST}{invite.pk}/email/")

    policy = answer["Content-Security-Policy"]
    assert policy.startswith(
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("fields", "dry_run", "which"),
    [
        ({}, False, "as it would be sent now"),
        ({"preview": '{"html": "P", "to": []}'}, True, "what the dry run would have sent"),
        (
            {"status": Status.SENT, "sent_at": timezone.now(), "rendered": '{"html": "R"}'},
            False,
            "as it was sent",
        ),
        ({"rendered": '{"html": "R", "to": ["x@y.example"]}'}, False, "as it was first tried"),
        ({"status": Status.SENT, "sent_at": timezone.now()}, False, "No copy of the sent e-mail"),
        ({"enquiry__email": ""}, False, "There is no e-mail to show. It has no e-mail address."),
    ],
)
def test_the_record_says_which_email_it_shows(
    operator: Client, settings: Settings, fields: dict[str, Any], dry_run: bool, which: str
) -> None:
    settings.RESEND_DRY_RUN = dry_run
    invite = InviteFactory(**fields)

    assert which in page_of(operator.get(f"{LIST}{invite.pk}/change/"))


def test_the_record_warns_that_a_further_try_goes_to_the_old_address(operator: Client) -> None:
    rendered = '{"to": ["old@club.example"], "html": ""}'
    invite = InviteFactory(enquiry__email="new@club.example", rendered=rendered)

    page = page_of(operator.get(f"{LIST}{invite.pk}/change/"))

    assert "a further try still goes to old@club.example" in page


def test_the_record_offers_only_what_can_be_done(operator: Client) -> None:
    sent = InviteFactory(status=Status.SENT, sent_at=timezone.now())

    buttons = operator.get(f"{LIST}{sent.pk}/change/").context["buttons"]

    assert [button["label"] for button in buttons] == ["Send again"]


def test_a_record_takes_a_fixed_number_of_queries(operator: Client) -> None:
    invite = InviteFactory()
    url = f"{LIST}{invite.pk}/change/"
    operator.get(url)
    with CaptureQueriesContext(connection) as few:
        operator.get(url)
    line = {
        "source": "invites",
        "source_id": str(invite.pk),
        "generation": 1,
        "attempt": 1,
        "counted": True,
        "channel": "email",
        "recipient": "a",
        "provider": "resend",
        "outcome": "refused",
    }
    MessageAudit.objects.bulk_create(MessageAudit(**line) for _ in range(20))

    with CaptureQueriesContext(connection) as many:
        operator.get(url)

    assert len(many) == len(few)


def test_a_failed_row_of_the_older_program_is_said_to_be_tried_again(operator: Client) -> None:
    InviteFactory(status=Status.FAILED, attempts=1, last_error="boom")

    page = page_of(operator.get(LIST))

    assert "The last try failed (boom): it is tried again by itself." in page
    assert Invite.objects.filter(attempts=F("attempts")).count() == 1
