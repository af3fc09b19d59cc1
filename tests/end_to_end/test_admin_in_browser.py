"""The admin in a real Chromium: its buttons, forms, searches and files do what they say."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from invites.models import Enquiry, Invite
from invites.services import retry_invites
from jobs.models import JobRun
from tests.end_to_end.browser import Open, visit
from tests.invites.factories import EnquiryFactory, InviteFactory
from tests.providers.faults import Fault
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(provider: ProviderServer) -> dict[str, Any]:
    """Invites in every state, and somebody who was not invited."""
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
    return {
        "sent": Invite.objects.get(enquiry__name="Amelia Roe").pk,
        "person": Enquiry.objects.get(name="Amelia Roe").pk,
    }


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
    page.get_by_label("Why?").focus()
    page.keyboard.type("He came by phone.")
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
    page.get_by_label("Why?").fill("The books are closed.")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".messagelist")).to_contain_text("Send due invites: paused.")
    page.get_by_role("link", name="Run now").click()
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.locator("#content")).to_contain_text("What it would change")
    page.get_by_role("link", name="Send due invites").click()
    page.get_by_role("link", name="Resume").click()
    page.get_by_label("Why?").fill("They are open again.")
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".messagelist")).to_contain_text("Send due invites: resumed.")
    assert JobRun.objects.filter(trigger="admin", dry_run=True).count() == 1
    assert troubles == []
