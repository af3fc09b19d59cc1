"""No search box lets a masked address or number be found by its beginning, letter by letter."""

from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.test import Client

from billing.models import Payment
from egac.models import MessageAudit, Suppression
from invites.models import Invite
from scripts.benchmarks.console_pages import list_url, lists, searching
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, ClassSessionFactory, EnrolmentFactory
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.staff import login

pytestmark = pytest.mark.django_db

ADDRESS, NUMBER = "qzx.hart@qvw.example", "+447700900123"
BEGINNINGS = [ADDRESS[:3], ADDRESS[:8], ADDRESS[:12], NUMBER[:5], NUMBER[:10], "07700 9001"]


@pytest.fixture
def viewer() -> Client:
    """A Viewer, in a club with one person whose address stands wherever one can, a name too."""
    person = {"name": f"Mia {ADDRESS}", "email": ADDRESS, "phone": NUMBER}
    booking = BookingFactory.create(
        **{f"customer__{name}": value for name, value in person.items()}
    )
    paid = {"amount": 42, "currency": "GBP", "paid_on": "2026-11-24", "method": "cash"}
    Payment.objects.create(
        invoice=InvoiceFactory.create(booking=booking), reference=ADDRESS, **paid
    )
    session = ClassSessionFactory.create(instructor__name="Bea", instructor__email=ADDRESS)
    EnrolmentFactory.create(booking=booking, session=session)
    InviteFactory(**{f"enquiry__{name}": value for name, value in person.items()})
    queue(email(to=ADDRESS, context={"name": f"Mia {ADDRESS}"}))
    queue(whatsapp(to=NUMBER))
    Suppression.objects.create(address=ADDRESS, reason=f"The mailbox of {ADDRESS} is full.")
    for recipient in (ADDRESS, NUMBER):
        MessageAudit.objects.create(
            source="invites",
            source_id="x",
            generation=1,
            attempt=1,
            counted=True,
            channel="email",
            recipient=recipient,
            provider="resend",
            outcome="accepted",
        )
    return login("Viewers")


def found(of: "ModelAdmin[Any]", typed: str, viewer: Client) -> int:
    answer: Any = viewer.get(searching(list_url(of), typed))
    return int(answer.context["cl"].result_count)


def searched(viewer: Client) -> list["ModelAdmin[Any]"]:
    """Return the lists that a Viewer may search."""
    return [
        of for of in lists() if of.search_fields and viewer.get(list_url(of)).status_code == 200
    ]


def test_nobody_is_found_by_the_beginning_of_an_address_or_number(viewer: Client) -> None:
    told = {
        (of.opts.label, typed)
        for of in searched(viewer)
        for typed in BEGINNINGS
        if found(of, typed, viewer)
    }

    assert told == set()


def test_everybody_is_found_by_a_whole_address(viewer: Client) -> None:
    by_address = {
        of.opts.model_name for of in searched(viewer) if found(of, ADDRESS.title(), viewer)
    }

    assert by_address == {
        "booking",
        "customer",
        "enquiry",
        "enrolment",
        "instructor",
        "invite",
        "invoice",
        "messageaudit",
        "notification",
        "payment",
        "suppression",
    }


def test_everybody_is_found_by_a_whole_number_in_any_notation(viewer: Client) -> None:
    by_number = {
        of.opts.model_name for of in searched(viewer) if found(of, "07700 900-123", viewer)
    }

    assert by_number == {
        "booking",
        "customer",
        "enquiry",
        "enrolment",
        "invite",
        "invoice",
        "messageaudit",
        "notification",
        "payment",
    }


def test_a_personal_link_is_found_by_what_is_shown_of_its_token_or_all_of_it(
    viewer: Client,
) -> None:
    token = Invite.objects.get().token
    of = next(each for each in lists() if each.model is Invite)

    counts = {length: found(of, token[:length], viewer) for length in (5, 6, 7, 20, 31, 32)}

    assert counts == {5: 0, 6: 1, 7: 0, 20: 0, 31: 0, 32: 1}
