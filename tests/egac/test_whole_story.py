"""The page of a person tells why a message did not go, and everything that staff did about them."""

import html
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.services import cancel_sessions, complete_sessions, mark_attendance
from egac import channels
from egac.models import DeliveryEvent, Suppression
from tests.bookings.factories import EnrolmentFactory, class_in
from tests.egac.test_people import person, text
from tests.invites.factories import EnquiryFactory, InviteFactory
from tests.invites.staff_pages import REFUSED
from tests.notifications.factories import email, queue
from tests.staff import login

pytestmark = pytest.mark.django_db

ZOE = "zoe@families.example"
SUPPRESSIONS = "/admin/egac/suppression/"


@pytest.fixture
def manager() -> Client:
    return login("Managers")


@pytest.fixture
def zoe() -> str:
    """The id of somebody with an address."""
    return f"enquiry-{EnquiryFactory(name='Zoë Hart', email=ZOE).pk}"


def story(client: Client, id: str) -> str:
    return html.unescape(text(person(client, id)))


# Suppressions


def test_what_a_provider_had_suppressed_is_told_with_its_reason(manager: Client, zoe: str) -> None:
    Suppression.objects.create(address="Zoe@families.example", reason="Hard bounce: no mailbox")
    Suppression.objects.create(address="noah@families.example", reason="Complaint")

    told = story(manager, zoe)

    assert "Address suppressed: nothing is sent to it any more" in told
    assert "Hard bounce: no mailbox" in told
    assert "Complaint" not in told


def test_it_tells_who_suppressed_an_address_why_and_who_lifted_it(
    manager: Client, zoe: str
) -> None:
    manager.post(f"{SUPPRESSIONS}add/", {"address": ZOE, "reason": "She asked by telephone."})
    while_it_lasts = story(manager, zoe)
    row = Suppression.objects.get()
    seen = f"{row.pk}@{row.created_at.isoformat()}"
    manager.post(f"{SUPPRESSIONS}lift/", {"seen": seen, "reason": "She asked again."})

    told = story(manager, zoe)

    assert "Address suppressed" not in while_it_lasts  # once, by whom
    assert ": suppressed the address" in told
    assert told.count(f">{ZOE}: She asked by telephone. ") == 2
    assert ": let the address be written to again" in told
    assert "Reason: She asked again." in told


# Classes


def test_it_tells_who_noted_that_a_class_took_place_and_who_marked_them(manager: Client) -> None:
    place = EnrolmentFactory.create(session=class_in(-2, title="Relays"))
    mark_attendance([place.pk], attendance="attended", actor="kim")
    complete_sessions([place.session_id], actor="sam")

    told = story(manager, f"customer-{place.booking.customer_id}")

    assert "took place (noted by sam)" in told
    assert "Relays: attended" in told
    assert ">kim<" in told


def test_it_tells_who_cancelled_their_class_and_why(manager: Client) -> None:
    place = EnrolmentFactory.create(session=class_in(5, title="Relays"))
    cancel_sessions([place.session_id], because="Ice on the track.", actor="sam")

    told = story(manager, f"customer-{place.booking.customer_id}")

    assert "Relays: the class was cancelled" in told
    assert "cancelled (noted by sam)" in told
    assert "Ice on the track." in told


# Why a message did not go


def test_a_failed_invite_tells_why_and_what_to_do(manager: Client) -> None:
    invite = InviteFactory(status="failed", reason="permanent", last_error=REFUSED)

    told = story(manager, f"enquiry-{invite.enquiry_id}")

    assert "Invite: failed" in told
    assert "No such mailbox" in told
    assert "correct" in told


def test_a_failed_message_tells_the_explained_sentence_and_no_raw_error(
    manager: Client, zoe: str
) -> None:
    raw = "Resend answered 503 service_unavailable: upstream connect error."
    row = queue(email(ZOE), status="failed", reason="exhausted", last_error=raw)
    record = html.unescape(text(manager.get(f"/admin/notifications/notification/{row.pk}/change/")))

    told = story(manager, zoe)

    sentence = record.partition("Last error: ")[2].partition("</p>")[0]
    assert len(sentence) > 20
    assert sentence in told
    assert raw not in told


@pytest.mark.parametrize(
    "make", [lambda: queue(email(ZOE)), lambda: InviteFactory(enquiry__email=ZOE)]
)
def test_an_open_message_tells_why_it_has_not_gone(manager: Client, make: Any, zoe: str) -> None:
    make()
    channels.pause("email", by="kim")

    assert "Held: kim paused the e-mail channel" in story(manager, zoe)


def test_a_message_that_went_tells_no_reason(manager: Client, zoe: str) -> None:
    queue(email(ZOE), status="completed", sent_at=timezone.now())
    InviteFactory(enquiry__email=ZOE, status="sent", sent_at=timezone.now())
    channels.pause("email", by="kim")

    assert "paused the e-mail channel" not in story(manager, zoe)


# What the provider told later


def test_the_page_of_a_bounced_invite_tells_of_the_bounce(manager: Client) -> None:
    invite = InviteFactory(status="sent", sent_at=timezone.now())
    DeliveryEvent.objects.create(
        provider="resend",
        event_id="e",
        source="invites",
        source_id=str(invite.pk),
        kind="bounced",
        occurred_at=timezone.now(),
        detail="The mailbox is full.",
    )

    page = text(manager.get(f"/admin/invites/invite/{invite.pk}/change/"))

    assert "resend told: bounced" in page
    assert "The mailbox is full." in page
