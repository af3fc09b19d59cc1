"""The ten tasks of docs/staff-guide.md, each done in a real Chromium from the login to its end."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from billing.models import Invoice
from billing.services import Written, escalate_overdue_bookings, issue_invoice
from bookings.models import Customer
from egac import channels
from egac.models import Suppression
from invites.models import Invite
from invites.services import retry_invites
from notifications.models import Notification
from notifications.passes import run_pass
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import (
    BookingFactory,
    CustomerFactory,
    EnrolmentFactory,
    class_in,
)
from tests.end_to_end.browser import DESK
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, queue_whatsapps
from tests.providers.faults import Fault
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "open-sesame-42"


@pytest.fixture
def desk(
    browser: Browser, live_server: LiveServer, settings: Settings, provider: ProviderServer
) -> Iterator[Page]:
    """The first page, after maya, one of the Managers, has signed in."""
    # The stock one is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    maya = get_user_model().objects.create_user("maya", password=PASSWORD, is_staff=True)
    maya.groups.add(Group.objects.get(name="Managers"))
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.set_default_timeout(15_000)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Username").fill("maya")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    yield page
    page.close()


def find(desk: Page, person: str) -> None:
    """Find a person from any page, and open theirs."""
    desk.get_by_label("Find a person").fill(person)
    desk.keyboard.press("Enter")
    desk.locator("#content .ops-people a").first.click()


def open_list(desk: Page, name: str) -> None:
    """Open a list that stands on top of every page."""
    desk.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def open_from_the_overview(desk: Page, name: str) -> None:
    """Open one of all the lists at the end of the first page."""
    open_list(desk, "Overview")
    every_list = desk.get_by_role("region", name="Every list")
    every_list.get_by_role("link", name=name, exact=True).click()


def press(desk: Page, label: str) -> None:
    """Press a button, or the one of the page that asks."""
    desk.get_by_role("button", name=label).click()


def choose_for_all(desk: Page, label: str, *, why: str = "") -> None:
    """Tick every row of the list, choose what to do, say why, and confirm it."""
    every_row = desk.locator("#action-toggle")
    every_row.wait_for()
    desk.wait_for_load_state()  # the script that ticks each row is there only then
    every_row.check()
    desk.locator("select[name=action]").select_option(label=label)
    press(desk, "Go")
    desk.get_by_label("Why?").fill(why)
    desk.get_by_role("button", name=label).click()


def told(desk: Page, sentence: str) -> None:
    """Expect what the message on top of the page says."""
    expect(desk.locator(".messagelist")).to_contain_text(sentence)


def send_the_queue() -> None:
    """Let the worker take one pass."""
    run_pass(limit=100, seconds=20)


def refuse(provider: Any) -> None:
    """Let a provider be down."""
    provider.faults = lambda number, payload: Fault.unavailable()


def recover(provider: Any) -> None:
    provider.faults = lambda number, payload: None


def issued(customer: Customer) -> Invoice:
    """Return an invoice over £42.00, with its message in the queue."""
    today = timezone.localdate()
    written = [Written("Junior running", Decimal("42.00"))]
    booking = BookingFactory.create(customer=customer)
    return issue_invoice(booking, written=written, on=today, due_on=today + timedelta(days=5))


def subjects(provider: ProviderServer) -> list[str]:
    return [taken.payload["subject"] for taken in provider.resend.accepted]


def test_an_invite_did_not_arrive(desk: Page, provider: ProviderServer) -> None:
    InviteFactory(enquiry__name="Amelia Roe", enquiry__email="amelia@families.example")
    retry_invites()

    find(desk, "amelia ro")
    desk.get_by_role("link", name="Invite: created").click()
    press(desk, "Send again")
    desk.get_by_label("Why?").fill("She lost the mail.")
    press(desk, "Send again")

    told(desk, "1 sent.")
    assert [taken.payload["to"] for taken in provider.resend.accepted] == [
        ["amelia@families.example"]
    ] * 2


def test_send_the_failed_ones_again(desk: Page, provider: ProviderServer) -> None:
    for _ in range(3):
        InviteFactory(status=Invite.Status.FAILED, reason="exhausted", attempts=3)

    open_list(desk, "Invites")
    desk.locator("#changelist-filter").get_by_role("link", name="failed", exact=True).click()
    choose_for_all(desk, "Retry now")

    told(desk, "3 sent.")
    assert len(provider.resend.accepted) == 3


def test_a_wrong_address(desk: Page, provider: ProviderServer) -> None:
    address = "amelia@familes.example"
    refused = {"status": Invite.Status.FAILED, "reason": "permanent", "attempts": 1}
    InviteFactory(enquiry__name="Amelia Roe", enquiry__email=address, **refused)

    find(desk, address)
    desk.locator("#content .ops-people a").first.click()
    desk.get_by_label("E-mail").fill("amelia@families.example")
    desk.get_by_role("button", name="Save", exact=True).click()
    find(desk, "amelia roe")
    desk.get_by_role("link", name="Invite: created").click()
    press(desk, "Retry now")
    press(desk, "Retry now")

    told(desk, "1 sent.")
    assert provider.resend.accepted[-1].payload["to"] == ["amelia@families.example"]


def test_whatsapp_is_down(desk: Page, provider: ProviderServer) -> None:
    refuse(provider.whatsapp)
    queue_whatsapps(6)
    send_the_queue()

    open_from_the_overview(desk, "Channels")
    expect(desk.get_by_role("row", name="whatsapp")).to_contain_text("closed")
    recover(provider.whatsapp)
    choose_for_all(desk, "Resume", why="Meta says that all is well.")
    told(desk, "1 resumed.")
    open_list(desk, "Queued messages")
    choose_for_all(desk, "Retry now")
    send_the_queue()

    assert len(provider.whatsapp.accepted) == 6


def test_stop_all_sending_for_a_while(desk: Page, provider: ProviderServer) -> None:
    for name in ("email", "whatsapp"):
        channels.named(name)
    InviteFactory()
    queue(email())

    open_from_the_overview(desk, "Channels")
    choose_for_all(desk, "Pause", why="The address moves tonight.")
    told(desk, "2 paused.")
    retry_invites()
    send_the_queue()
    meanwhile = len(provider.resend.accepted)
    choose_for_all(desk, "Resume", why="It has moved.")
    told(desk, "2 resumed.")
    retry_invites()
    send_the_queue()

    assert (meanwhile, len(provider.resend.accepted)) == (0, 2)


def test_somebody_paid(desk: Page, provider: ProviderServer) -> None:
    invoice = issued(CustomerFactory.create())
    send_the_queue()

    open_list(desk, "Invoices")
    desk.get_by_role("textbox", name="Search").fill(invoice.number)
    desk.keyboard.press("Enter")
    desk.get_by_role("link", name=invoice.number).click()
    press(desk, "Record payment")
    desk.get_by_label("Reference").fill("HART 24 NOV")
    press(desk, "Record payment")
    told(desk, "£42.00")
    send_the_queue()

    assert Invoice.objects.get().status == Invoice.Status.PAID
    assert len(provider.resend.accepted) == 2


def test_why_did_nobody_get_the_invoice(desk: Page, provider: ProviderServer) -> None:
    customer = CustomerFactory.create()
    Suppression.objects.create(address=customer.email, reason="bounced")
    invoice = issued(customer)
    send_the_queue()

    find(desk, customer.email)
    desk.get_by_role("link", name=f"Invoice {invoice.number}").first.click()
    desk.get_by_role("link", name="New invoice").click()
    expect(desk.locator("#content")).to_contain_text("is not written to: bounced")
    message = desk.url
    open_from_the_overview(desk, "Suppressions")
    choose_for_all(desk, "Lift", why="Her mailbox works again.")
    told(desk, "1 lifted.")
    desk.goto(message)
    press(desk, "Retry now")
    press(desk, "Retry now")
    send_the_queue()

    assert provider.resend.accepted[-1].payload["to"] == [customer.email]


def test_a_customers_booking_is_locked(desk: Page, provider: ProviderServer) -> None:
    today = timezone.localdate()
    invoice = InvoiceFactory(due_on=today - timedelta(days=20))
    escalate_overdue_bookings(today)

    find(desk, invoice.customer.email)
    desk.get_by_role("link", name=f"Invoice {invoice.number}").first.click()
    press(desk, "Record payment")
    press(desk, "Record payment")
    told(desk, "it is paid now")
    send_the_queue()

    invoice.booking.refresh_from_db()
    assert invoice.booking.access_status == "active"
    assert f"Your booking is open again: {invoice.booking.title}" in subjects(provider)
    assert Notification.objects.get(type="access_restored").status == "completed"


def test_cancel_tonights_class_and_tell_everyone(desk: Page, provider: ProviderServer) -> None:
    tonight = class_in(3, title="Tonight's run")
    EnrolmentFactory(session=tonight, booking__customer__agreed=True)
    EnrolmentFactory(session=tonight)

    open_list(desk, "Classes")
    desk.locator("#changelist-filter").get_by_role("link", name="to come", exact=True).click()
    desk.get_by_role("link", name="Tonight's run").click()
    press(desk, "Cancel and tell everyone booked")
    desk.get_by_label("Why?").fill("The hall is closed for repairs.")
    press(desk, "Cancel and tell everyone booked")
    told(desk, "1 cancelled")
    send_the_queue()

    told_by = (len(provider.resend.accepted), len(provider.whatsapp.accepted))
    assert told_by == (2, 1)


def test_a_customer_asks_what_we_sent_her(desk: Page, provider: ProviderServer) -> None:
    customer = CustomerFactory.create()
    invoice = issued(customer)
    send_the_queue()

    find(desk, customer.phone)
    desk.get_by_role("link", name="New invoice, by e-mail: queued").click()
    desk.locator("iframe.ops-email").scroll_into_view_if_needed()

    expect(desk.locator(".ops-sentence")).to_contain_text("Sent on")
    mail = desk.frame_locator("iframe.ops-email").locator("body")
    expect(mail).to_contain_text(invoice.number)
