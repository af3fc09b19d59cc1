"""The admin in a real Chromium: it works, keeps its own policy, and shuts nobody out."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from bookings.models import Booking
from egac import channels
from egac.models import MessageAudit, Suppression
from invites.models import Enquiry, Invite
from invites.services import invite_stats, retry_invites
from jobs.models import Alert, JobRun
from jobs.services import Start, run_job
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import EnrolmentFactory, class_in
from tests.conftest import CHROMIUM
from tests.invites.factories import EnquiryFactory, InviteFactory
from tests.providers.faults import Fault
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = (
    "",
    "invites/",
    "invites/invite/",
    "invites/invite/?status__exact=accepted",
    "invites/invite/add/",
    "invites/invite/{waiting}/change/",
    "invites/invite/{sent}/change/",
    "invites/invite/{sent}/history/",
    "invites/enquiry/",
    "invites/enquiry/add/",
    "invites/enquiry/{person}/change/",
    "invites/enquiry/import/",
    "invites/enquiry/export/",
    "egac/person/",
    "egac/person/?q=roe",
    "egac/person/enquiry-{person}/",
    "egac/role/",
    "egac/channel/",
    "egac/channel/email/change/",
    "egac/messageaudit/",
    "egac/messageaudit/{line}/change/",
    "egac/suppression/",
    "egac/suppression/add/",
    "egac/suppression/{suppressed}/delete/",
    "jobs/scheduledjob/",
    "jobs/scheduledjob/retry_invites/",
    "jobs/scheduledjob/retry_invites/run/",
    "jobs/scheduledjob/retry_invites/pause/",
    "jobs/jobrun/",
    "jobs/jobrun/{run}/change/",
    "jobs/alert/",
    "jobs/alert/{alert}/change/",
    "password_change/",
    "bookings/customer/",
    "bookings/customer/{customer}/change/",
    "bookings/customer/{customer}/edit/",
    "bookings/customer/export/",
    "bookings/booking/",
    "bookings/booking/{booking}/change/",
    "bookings/booking/add/",
    "bookings/classsession/",
    "bookings/classsession/{session}/change/",
    "bookings/classsession/{session}/register/",
    "bookings/classsession/add/",
    "bookings/enrolment/add/",
    "billing/invoice/",
    "billing/invoice/add/",
    "billing/invoice/export/",
    "billing/invoice/{invoice}/change/",
    "billing/payment/",
    "billing/billingproblem/",
    "billing/monthahead/",
    "billing/missedday/",
    "billing/missedday/{missed}/",
)


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs a loop of its own in this thread, which Django takes for a coroutine.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def troubles() -> list[str]:
    """What Chromium complained about: violations of the policy, errors of scripts."""
    return []


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, troubles: list[str]) -> Iterator[Open]:
    """Open a page of the admin, signed in as a member of a group."""
    contexts = []

    def open_page(path: str, *, client: Client | None = None, **options: Any) -> Page:
        session = (client or login("Managers")).cookies["sessionid"].value
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{live_server.url}/admin/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def rows(provider: ProviderServer) -> dict[str, Any]:
    """Invites in every state, and a row of every other table."""
    names = ("Amelia Roe", "Bea Longfellow-Winterbottom", "Cyril Ash", "Dot Marsh", "Edith Vale")
    for name in names:
        address = f"{name.split()[0].lower()}@families.example"
        InviteFactory(enquiry__name=name, enquiry__email=address)
    provider.resend.faults = lambda number, payload: {
        "bea@families.example": Fault.error(422, "validation_error", "No such mailbox."),
        "cyril@families.example": Fault.unavailable(),
    }.get(payload["to"][0])
    retry_invites()
    provider.resend.faults = lambda number, payload: None
    dot = Invite.objects.get(enquiry__name="Dot Marsh")
    Invite.objects.filter(pk=dot.pk).update(status="accepted", accepted_at=timezone.now())
    InviteFactory(enquiry__name="Fay Lowe", status=Invite.Status.CANCELLED, reason="by_staff")
    EnquiryFactory(name="Gil Hart", note="Wednesdays only.\nTwo children.")
    channels.named("email")
    place = EnrolmentFactory(session=class_in(-2))
    start = Start("cron", "cron", timezone.localdate())
    run = run_job("retry_invites", start, retry_invites)
    run_job("check_invite_stats", start, lambda: {"counts": invite_stats()})
    yesterday = start.business_on - timedelta(days=1)
    run_job("generate_t5_invoices", Start("cron", "cron", yesterday), lambda: {"left": 0})
    return {
        **an_invoice(place.booking),
        "missed": f"escalate_overdue_bookings@{yesterday}",
        "customer": place.booking.customer_id,
        "booking": place.booking_id,
        "session": place.session_id,
        "run": run.pk,
        "alert": Alert.objects.latest("pk").pk,
        "waiting": Invite.objects.get(enquiry__name="Cyril Ash").pk,
        "sent": Invite.objects.get(enquiry__name="Amelia Roe").pk,
        "person": Enquiry.objects.get(name="Amelia Roe").pk,
        "line": MessageAudit.objects.latest("pk").pk,
        "suppressed": Suppression.objects.create(address="x@y.example", reason="asked us").pk,
    }


def an_invoice(booking: Booking) -> dict[str, Any]:
    """Make a late invoice with a line and a payment, and a problem of its booking."""
    late_on = timezone.localdate() - timedelta(days=20)
    invoice = InvoiceFactory(booking=booking, due_on=late_on)
    invoice.lines.create(position=1, description="Kit", unit_price=42, tax_percent=0, net=42, tax=0)
    invoice.payments.create(amount=1, currency="GBP", paid_on=late_on, method="cash")
    booking.billing_problems.create(job="generate_t5_invoices", why="It has no price.")
    return {"invoice": invoice.pk}


def visit(page: Page, path: str) -> None:
    page.goto(f"{page.url.partition('/admin/')[0]}/admin/{path}")


def test_no_page_violates_the_policy(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("")

    for path in PAGES:
        visit(page, path.format(**rows))
        assert page.locator("#content").is_visible(), path
        assert troubles == [], path


def test_a_violation_would_be_seen(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("")

    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)

    assert "Content Security Policy" in " ".join(troubles)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Open, rows: dict[str, Any], scheme: str) -> None:
    # Only here the policy is set aside, for axe's own script.
    page = open_page("", bypass_csp=True, color_scheme=scheme)

    found = {path: serious_faults(page, path.format(**rows)) for path in PAGES}

    assert {path: faults for path, faults in found.items() if faults} == {}


def test_axe_finds_nothing_serious_on_what_is_masked(open_page: Open, rows: dict[str, Any]) -> None:
    page = open_page("", bypass_csp=True, client=login("Viewers"))
    paths = ("invites/invite/{sent}/change/", "egac/person/enquiry-{person}/", "bookings/customer/")

    found = [fault for path in paths for fault in serious_faults(page, path.format(**rows))]

    assert found == []


def serious_faults(page: Page, path: str) -> list[str]:
    visit(page, path)
    return [
        f"{each['id']}: {each['nodes'][0]['html']}: {each['nodes'][0]['failureSummary']}"
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]


def test_a_phone_scrolls_no_page_sideways(open_page: Open, rows: dict[str, Any]) -> None:
    page = open_page("", viewport=PHONE)

    for path in PAGES:
        visit(page, path.format(**rows))
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path


def test_a_viewer_finds_a_person_with_the_keyboard_and_reveals_the_page_once(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("invites/invite/", client=login("Viewers"))

    page.get_by_label("Find a person").press_sequentially("amelia ro")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Amelia Roe").press("Enter")
    expect(page.locator("#content")).to_contain_text("a•••@f•••.example")
    page.get_by_label("Why do you need them?").press_sequentially("She is on the phone.")
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_contain_text("amelia@families.example")
    visit(page, f"egac/person/enquiry-{rows['person']}/")
    expect(page.locator("#content")).to_contain_text("Revealed. Reason: She is on the phone.")
    expect(page.locator("#content")).not_to_contain_text("amelia@families.example")
    assert troubles == []


def test_a_failed_invite_is_retried_from_its_record(
    open_page: Open, rows: dict[str, Any], provider: ProviderServer, troubles: list[str]
) -> None:
    page = open_page("invites/invite/?status__exact=failed")

    page.get_by_role("link", name="Bea Longfellow-Winterbottom").click()
    page.get_by_role("button", name="Retry now").click()
    page.get_by_role("button", name="Retry now").click()

    expect(page.locator(".messagelist")).to_contain_text("1 sent.")
    expect(page.locator(".ops-sentence")).to_contain_text("Sent on")
    assert provider.resend.accepted[-1].payload["to"] == ["bea@families.example"]
    assert troubles == []


def test_ticked_invites_are_cancelled_from_the_list_with_the_keyboard_alone(
    open_page: Open, rows: dict[str, Any]
) -> None:
    page = open_page("invites/invite/?q=Cyril")

    page.locator(".action-select").focus()
    page.keyboard.press("Space")
    page.locator("select[name=action]").focus()
    page.keyboard.type("Cancel")
    page.get_by_role("button", name="Go").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".messagelist")).to_contain_text("1 cancelled.")
    assert page.url.endswith("?q=Cyril")


def test_an_invite_is_sent_again_with_a_reason(
    open_page: Open, rows: dict[str, Any], provider: ProviderServer
) -> None:
    before = len(provider.resend.accepted)
    page = open_page(f"invites/invite/{rows['sent']}/change/")

    page.get_by_role("button", name="Send again").click()
    page.get_by_label("Why?").fill("She lost the mail")
    page.get_by_role("button", name="Send again").click()

    expect(page.locator(".messagelist")).to_contain_text("1 sent.")
    expect(page.locator(".ops-timeline")).to_contain_text("Reason: She lost the mail")
    assert len(provider.resend.accepted) == before + 1


def test_the_email_shows_in_its_frame_and_its_link_leads_nowhere(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page(f"invites/invite/{rows['sent']}/change/")
    frame = page.frame_locator("iframe.ops-email")
    page.locator("iframe.ops-email").scroll_into_view_if_needed()

    expect(frame.locator("body")).to_contain_text("Hello Amelia Roe")
    button = frame.get_by_role("link").first
    assert re.search(r"invite=.{6}…", button.get_attribute("href") or "")
    assert troubles == []


def test_a_script_in_an_email_does_not_run(open_page: Open, rows: dict[str, Any]) -> None:
    html = "<p>Hello</p><script>document.body.textContent = 'It ran'</script>"
    Invite.objects.filter(pk=rows["sent"]).update(rendered=f'{{"html": "{html}", "to": []}}')
    page = open_page(f"invites/invite/{rows['sent']}/change/")
    page.locator("iframe.ops-email").scroll_into_view_if_needed()

    expect(page.frame_locator("iframe.ops-email").locator("body")).to_contain_text("Hello")


def test_a_person_is_found_and_invited(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("invites/invite/add/")

    page.get_by_role("combobox").click()
    page.locator(".select2-search__field").fill("Gil")
    page.get_by_role("option", name="Gil Hart").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("was added")
    assert Invite.objects.filter(enquiry__name="Gil Hart").count() == 1
    assert troubles == []


def test_a_new_person_is_added_and_invited_in_one_go(open_page: Open, rows: dict[str, Any]) -> None:
    page = open_page("invites/invite/add/")

    with page.expect_popup() as popup:
        page.locator("#add_id_enquiry").click()
    popup.value.get_by_label("Name").fill("Kit Moor")
    popup.value.get_by_label("E-mail").fill("kit@club.example")
    with popup.value.expect_event("close"):
        popup.value.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("was added")
    assert Invite.objects.filter(enquiry__name="Kit Moor").count() == 1


def test_a_file_is_looked_at_then_imported(
    open_page: Open, rows: dict[str, Any], troubles: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,email\nHal,hal@club.example\nNobody,\n<b>Ivy</b>,ivy@club.example\n")
    page = open_page("invites/enquiry/import/")

    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Look at it first").click()
    expect(page.locator("#content")).to_contain_text("2 new, 0 already there, 1 refused.")
    saved_before = Enquiry.objects.filter(name="Hal").count()
    page.get_by_role("button", name="Import the new ones").click()

    expect(page.locator(".messagelist")).to_contain_text("Import finished: 2 new")
    assert saved_before == 0
    assert Enquiry.objects.filter(name__in=["Hal", "<b>Ivy</b>"]).count() == 2
    assert troubles == []


def test_the_enquiries_are_downloaded(open_page: Open, rows: dict[str, Any]) -> None:
    page = open_page("invites/enquiry/")
    page.get_by_role("link", name="Export").click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the file").click()

    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.startswith("name,email,")
    assert "Amelia Roe,amelia@families.example" in text


def test_a_job_is_paused_run_and_resumed_from_its_page(
    open_page: Open, rows: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("jobs/scheduledjob/")

    page.get_by_role("link", name="Send due invites").click()
    page.get_by_role("link", name="Pause").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".messagelist")).to_contain_text("Send due invites: paused.")
    page.get_by_role("link", name="Run now").click()
    page.get_by_label("Dry run").check()
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#content")).to_contain_text("What it would change")
    page.get_by_role("link", name="Send due invites").click()
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".messagelist")).to_contain_text("Send due invites: resumed.")
    assert JobRun.objects.filter(trigger="admin", dry_run=True).count() == 1
    assert troubles == []
