"""Every page of the admin in a real Chromium: its policy holds, and nobody is shut out of it."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from bookings.models import Booking
from egac.console import site
from invites.models import Invite
from notifications.models import Notification
from scripts.pictures.pressed import PRESSED, Pressed, let_many_fail
from tests.bookings.factories import BookingFactory
from tests.crawl import crawl
from tests.end_to_end.browser import DESK, PHONE, Open, visit
from tests.end_to_end.reports import Reports, reports_of_the_browser
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue
from tests.one_of_each import one_of_each
from tests.providers.client import eventually
from tests.staff import admin_patterns, admin_urls, login, login_superuser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What it loads beforehand it would put into the page, against the policy.
OPTIONS = {"resultTypes": ["violations"], "preload": False}
ONLY_CONTRAST = {**OPTIONS, "runOnly": ["color-contrast"]}
OF_DJANGO = ("/admin/auth/user/", "/admin/auth/group/", "/admin/password_change/")
NO_PAGE = "Failed to load resource"  # what Chromium says of a status such as 404
ALIKE = "_history"  # so one of them stands for all
# The links fade into the other colour.
SETTLED = "document.getAnimations().forEach(each => each.finish())"

UNSAID = """[...document.querySelectorAll("[aria-describedby]")]
    .flatMap(each => each.getAttribute("aria-describedby").split(" "))
    .filter(id => id.endsWith("error") && !document.getElementById(id))"""
FITS_A_PHONE = f"""new Promise(tell => {{
    const until = performance.now() + 10000;  // by then a busy machine has resized it
    const look = () => {{
        const fits = document.documentElement.scrollWidth <= {PHONE["width"]};
        if ((innerWidth == {PHONE["width"]} && fits) || performance.now() > until) tell(fits);
        else requestAnimationFrame(look);
    }};
    look();
}})"""


@pytest.fixture
def reports(settings: Settings) -> Iterator[Reports]:
    """What the browser reports of broken policies."""
    with reports_of_the_browser() as reports:
        settings.CONTENT_SECURITY_POLICY = reports.policy()
        yield reports


@pytest.fixture
def objects() -> dict[str, Any]:
    """One row of each table, and a row in every other state that has a colour of its own."""
    for status in Invite.Status:
        reason = {"failed": "permanent", "cancelled": "by_staff"}.get(status)
        InviteFactory(status=status, reason=reason, enquiry__name="Bea Longfellow-Winterbottom")
    for status in Notification.Status:
        reason = {"failed": "exhausted", "cancelled": "expired"}.get(status)
        queue(email(), status=status, reason=reason)
    for access in Booking.Access:
        BookingFactory(access_status=access)
    return one_of_each()


def pages_of(client: Client, objects: dict[str, Any]) -> dict[str, str]:
    """Return an address of each page that somebody may open, by its name."""
    starts = ["/admin/", *OF_DJANGO, *admin_urls(objects).values()]
    visits = crawl(client, starts=starts, examples=1)
    pages = {visit.name: path for path, visit in reversed(visits.items()) if visit.is_ours}
    alike = [name for name in pages if name.endswith(ALIKE)]
    return {name: path for name, path in pages.items() if name not in alike[1:]}


def faults_at(page: Page, path: str) -> Iterator[str]:
    """Open an address and yield what is wrong with its page."""
    page.goto(page.url.partition("/admin/")[0] + path)
    yield from faults_of(page, path)


def faults_of(page: Page, name: str) -> Iterator[str]:
    """Yield what is wrong with an open page by day, by night and on a phone."""
    if not page.locator("#content, main").first.is_visible():
        yield f"{name} is empty"
    yield from (f"{name} does not tie {id} to its field" for id in page.evaluate(UNSAID))
    page.evaluate(AXE_SCRIPT)
    yield from serious_faults(page, name, OPTIONS)
    page.emulate_media(color_scheme="dark")
    page.evaluate(SETTLED)
    yield from serious_faults(page, f"{name} by night", ONLY_CONTRAST)
    page.set_viewport_size(PHONE)
    if not page.evaluate(FITS_A_PHONE):
        yield f"{name} scrolls sideways on a phone"
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")


def serious_faults(page: Page, where: str, options: dict[str, Any]) -> Iterator[str]:
    for each in page.evaluate(f"axe.run({json.dumps(options)})")["violations"]:
        if each["impact"] in ("serious", "critical"):
            node = each["nodes"][0]
            yield f"{where}: {each['id']}: {node['html']}: {node['failureSummary']}"


def test_every_page_keeps_its_policy_and_shuts_nobody_out(
    open_page: Open, objects: dict[str, Any], troubles: list[str], reports: Reports
) -> None:
    superuser = login_superuser()
    pages = pages_of(superuser, objects)
    page = open_page("", client=superuser)

    faults = [fault for path in pages.values() for fault in faults_at(page, path)]

    assert faults == []
    assert troubles == []
    assert reports.told == []
    assert {name for name, _ in admin_patterns() if name.endswith("_changelist")} <= set(pages)
    assert {"auth_user_change", "auth_group_change", "password_change"} <= set(pages)


def test_what_is_masked_shuts_nobody_out(
    open_page: Open, objects: dict[str, Any], troubles: list[str]
) -> None:
    page = open_page("", client=login("Viewers"))
    urls = admin_urls(objects)
    names = ("invites_invite_change", "egac_person_change", "bookings_customer_changelist")

    faults = [fault for name in names for fault in faults_at(page, urls[name])]

    assert faults == troubles == []


def faults_of_pressed(page: Page, scenes: Iterable[Pressed]) -> Iterator[str]:
    for scene in scenes:
        visit(page, scene.path)
        scene.steps(page)
        expect(page.locator(scene.shows).first, scene.name).to_be_visible()
        yield from faults_of(page, scene.name)


@pytest.fixture
def pressable(objects: dict[str, Any]) -> None:
    """Rows for every button."""
    let_many_fail()


def test_pages_that_only_a_press_opens_shut_nobody_out(
    open_page: Open, pressable: None, troubles: list[str], reports: Reports
) -> None:
    faults: list[str] = []

    for group, scenes in groupby(PRESSED, key=lambda scene: scene.group):
        page = open_page("", client=login(group))
        if not group:
            page.context.clear_cookies()
        faults += faults_of_pressed(page, scenes)

    assert faults == []
    assert [each for each in troubles if not each.startswith(NO_PAGE)] == []
    assert reports.told == []


def test_a_page_that_broke_shuts_nobody_out(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, reports: Reports
) -> None:
    page = open_page("egac/role/")
    monkeypatch.delattr(site, "dashboard_context")

    faults = list(faults_at(page, "/admin/"))

    assert page.get_by_role("heading", name="This page broke").is_visible()
    assert faults == reports.told == []


def test_a_violation_would_be_seen(open_page: Open, troubles: list[str], reports: Reports) -> None:
    page = open_page("")

    page.evaluate("document.body.setAttribute('style', 'color: red')")

    assert eventually(lambda: bool(reports.told))
    page.title()  # by then its console was heard
    assert "style-src-attr inline" in reports.told[0]
    assert "Content Security Policy" in " ".join(troubles)


def test_the_first_tab_leads_past_what_is_the_same_on_every_page(open_page: Open) -> None:
    page = open_page("egac/role/")

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content-start"
