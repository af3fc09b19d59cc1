"""Failures by cause in a real Chromium, from the first page to the messages at the provider."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.db.models import F
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from egac.canary import CanaryRetry
from notifications.models import Notification, Worker
from notifications.passes import run_pass
from tests.end_to_end.browser import PHONE, Open, visit
from tests.end_to_end.test_pages_in_browser import OPTIONS, serious_faults
from tests.notifications.factories import email, queue
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CAUSE = "Resend does not send for our domain"
LOST = "Our key at Resend may not send"
RETRY = "Retry all with this cause"
REFRESHED = "and arrived; 2 wait for it until"


def fail(count: int, error: str) -> None:
    for number in range(count):
        queue(
            email(f"family{number}@families.example", subject=f"News {number}"),
            status=Notification.Status.FAILED,
            reason="exhausted",
            last_error=error,
            failed_at=Now(),
        )


def faults(page: Page, where: str) -> list[str]:
    """Return what shuts somebody out of the page as it stands, and whether it is too wide."""
    page.evaluate(AXE_SCRIPT)
    found = list(serious_faults(page, where, OPTIONS))
    is_wide = page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    return [*found, f"{where} scrolls sideways"] if is_wide else found


def press_by_keyboard(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{name}")).first.focus()
    page.keyboard.press("Enter")


def retry(page: Page, cause: str, why: str) -> None:
    button = page.locator(".ops-failure", has_text=cause).get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(RETRY)
    page.get_by_label("Why?").fill(why)
    press_by_keyboard(page, RETRY)


def test_what_failed_for_one_cause_is_mended_and_sent_with_one_press(
    open_page: Open, provider: ProviderServer, troubles: list[str]
) -> None:
    fail(3, "Resend answered 403 validation_error: The domain club.example is not verified.")
    fail(2, "Resend answered 401 restricted_api_key: This key is restricted.")
    Worker.objects.create(name="one", kind=Worker.Kind.LOOP)
    page = open_page("", viewport=PHONE, color_scheme="dark")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Failures").click()
    expect(page.locator(".ops-failure")).to_have_count(2)
    expect(page.locator(".ops-failure").first).to_contain_text("Verify the domain at Resend.")
    page.locator(".ops-failure", has_text=CAUSE).get_by_role("button").click()
    expect(page.locator(".ops-would")).to_have_count(3)
    found = faults(page, "the page that asks")
    page.get_by_role("link", name="Go back").click()

    retry(page, CAUSE, "The domain is verified again.")
    expect(page.locator(".messagelist")).to_contain_text("2 wait for it until")
    expect(page.locator(".ops-canary")).to_contain_text("1 went as a test at")
    found += faults(page, "a test that runs")
    page.get_by_role("button", name=re.compile("^Take back")).focus()
    run_pass(limit=10, seconds=5)
    expect(page.locator(".ops-canary")).to_contain_text(REFRESHED, timeout=12_000)
    expect(page.get_by_role("button", name=re.compile("^Take back"))).to_be_focused()
    assert len(provider.resend.accepted) == 1

    CanaryRetry.objects.update(started_at=F("started_at") - timedelta(seconds=61))
    run_pass(limit=10, seconds=5)
    expect(page.get_by_role("button", name=re.compile("^Take back"))).to_have_count(
        0, timeout=12_000
    )
    page.reload()
    expect(page.locator("#content")).to_contain_text("The test arrived, and 2 more were released")
    expect(page.locator(".ops-failure")).to_have_count(1)
    assert sorted(each.payload["subject"] for each in provider.resend.accepted) == [
        "News 0",
        "News 1",
        "News 2",
    ]

    retry(page, LOST, "A new key.")
    page.get_by_label("Why?").fill("The key is wrong.")
    press_by_keyboard(page, "Take back")
    expect(page.locator(".messagelist")).to_contain_text("1 taken back. Taken back by managers")
    expect(page.locator(".ops-canary")).to_have_count(0)
    page.locator(".ops-failure dd a").first.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    visit(page, "notifications/notification/")
    page.get_by_role("link", name="Failures by cause").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Failures")
    assert found == []
    assert troubles == []
