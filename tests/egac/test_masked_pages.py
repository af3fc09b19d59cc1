"""No page of the admin tells a Viewer an address, a number or what a message says."""

import html
import json
from collections.abc import Iterator

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing.models import Invoice
from billing.seeding import seed_demo
from bookings.models import Customer, Instructor
from egac.models import DeliveryEvent, Suppression
from invites.models import Enquiry, Invite
from invites.services import retry_invites
from notifications.models import Notification
from notifications.passes import run_pass
from tests.crawl import EXAMPLES, crawl, name_of
from tests.providers.server import ProviderServer
from tests.staff import admin_patterns, login

pytestmark = pytest.mark.django_db(transaction=True)

NO_ADDRESS = "no-address-at-all"
SAMPLES = "/admin/notifications/sample/"  # what they say is invented, and the same for everybody
OF_MANAGERS = {"egac_loggedaction_changelist"}  # no Viewer may open it
LONG_ENOUGH = 30  # letters of a sentence that stands nowhere but in a body


@pytest.fixture
def club(provider: ProviderServer, settings: Settings) -> None:
    """The invented club after a first run, with an address in every corner that quotes one."""
    settings.RESEND_RATE_LIMIT = 50.0
    seed_demo(timezone.now())
    retry_invites(limit=6)
    run_pass(limit=20, seconds=30)
    enquiry = Enquiry.objects.exclude(email="").latest("created_at")
    quoted = f"The mailbox of {enquiry.email} is full, and {enquiry.phone} does not answer."
    viewer = login("Operators")
    LogEntry.objects.log_actions(
        int(viewer.session["_auth_user_id"]), [enquiry], CHANGE, f"Changed: nothing → {quoted}"
    )
    Suppression.objects.create(address=enquiry.email, reason=quoted)
    row = Notification.objects.latest("pk")
    Notification.objects.filter(pk=row.pk).update(last_error=quoted, status="failed")
    DeliveryEvent.objects.create(
        provider="resend",
        event_id="msg_quoted",
        provider_message_id="re_none",
        source="notifications_queue",
        source_id=str(row.pk),
        kind="bounced",
        occurred_at=timezone.now(),
        detail=quoted,
    )


def reaches() -> Iterator[str]:
    """Yield every address and number that is kept; what is no address is not masked."""
    for model in (Enquiry, Customer):
        for row in model._default_manager.all():
            yield from (text for text in (row.email, row.phone) if text and text != NO_ADDRESS)
    yield from Instructor.objects.exclude(email="").values_list("email", flat=True)
    yield from (str(row.payload["to"]) for row in Notification.objects.all())
    yield from Suppression.objects.values_list("address", flat=True)


def sentences() -> Iterator[str]:
    """Yield what bodies say, and where people live."""
    for row in [*Invite.objects.exclude(rendered=None), *Notification.objects.all()]:
        message = json.loads(row.rendered) if row.rendered else {}
        lines = str(message.get("text", "")).splitlines() if isinstance(message, dict) else []
        yield from (line.strip() for line in lines if len(line.strip()) > LONG_ENOUGH)
    yield from (line for row in Invoice.objects.all() for line in row.billed_to.splitlines()[1:])
    yield from Customer.objects.exclude(address="").values_list("address", flat=True)


def crawled(client: Client, *, examples: int = EXAMPLES) -> dict[str, str]:
    """Return every page that links lead to from the first one, a few of each kind, as it reads."""
    visits = crawl(client, examples=examples).items()
    return {path: html.unescape(visit.text) for path, visit in visits if visit.status == 200}


def told(pages: dict[str, str], secrets: set[str]) -> dict[str, set[str]]:
    """Return what each page tells of the secrets."""
    return {
        url: found
        for url, page in pages.items()
        if (found := {secret for secret in secrets if secret in page})
    }


def test_no_page_tells_a_viewer_an_address_a_number_or_a_body(club: None) -> None:
    pages = crawled(login("Viewers"))

    visited = {name_of(url) for url in pages}
    lists = {name for name, _ in admin_patterns() if name.endswith("_changelist")}
    assert lists - OF_MANAGERS <= visited, "the crawl did not come everywhere"
    assert told(pages, set(reaches())) == {}
    assert told({url: pages[url] for url in pages if SAMPLES not in url}, set(sentences())) == {}


def test_an_operator_reads_them(club: None) -> None:
    pages = crawled(login("Operators"), examples=1)

    assert len(told(pages, set(reaches()))) > 5
    assert len(told(pages, set(sentences()))) > 5


def test_a_search_tells_a_viewer_no_more_than_a_list(club: None) -> None:
    viewer = login("Viewers")
    customer = Customer.objects.exclude(email="").exclude(phone="").latest("pk")
    secrets = {customer.email, customer.phone}

    pages = {
        name: html.unescape(viewer.get(f"{url}?q={customer.name}").content.decode())
        for name, url in {
            "people": "/admin/egac/person/",
            "customers": "/admin/bookings/customer/",
            "invoices": "/admin/billing/invoice/",
        }.items()
    }

    assert all(customer.name in page for page in pages.values())
    assert told(pages, secrets) == {}
