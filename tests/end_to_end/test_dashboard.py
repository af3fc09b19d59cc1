"""The dashboard in a real Chromium: it keeps itself fresh and moves nothing that is being read."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from egac import channels
from egac.console import dashboard
from egac.providers import Cause, ProviderError
from jobs.alerts import watch_everything
from jobs.watchers import WATCHERS
from notifications.models import Worker
from tests.egac.test_figures import attempt
from tests.end_to_end.browser import Open
from tests.jobs.looks import finding
from tests.jobs.runs import ran
from tests.notifications.factories import email, queue
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SEVERAL = 3  # refreshes
TOP = "each => each.getBoundingClientRect().top"


@pytest.fixture
def page(
    open_page: Open, provider: ProviderServer, monkeypatch: pytest.MonkeyPatch, troubles: list[str]
) -> Page:
    """The dashboard of a manager, while a worker lives, refreshed every half second."""
    monkeypatch.setattr(dashboard, "REFRESH_SECONDS", 0.5)
    Worker.objects.create(name="host:1", kind=Worker.Kind.LOOP)
    ran(timezone.now(), job="check_invite_stats")
    return open_page("")


def refreshed(page: Page, times: int = 1) -> None:
    """Wait until it was refreshed so many times."""
    for _ in range(times):
        with page.expect_response(re.compile("/admin/dashboard/")):
            pass
    page.wait_for_timeout(50)  # until what came is in its place


def test_a_refresh_moves_nothing_that_is_being_read(
    page: Page, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, waiting = page.locator("#hours-email-table"), page.locator("#queue-1-1")
    page.locator("#hours-email-summary").click()
    page.locator("#hours-email-scroll").evaluate("each => { each.scrollTop = 90; }")
    waiting.focus()
    page.evaluate("window.scrollTo(0, 500)")
    before = waiting.evaluate(TOP)

    queue(email())
    attempt(timezone.now()).save()
    monkeypatch.setitem(WATCHERS, "pool", lambda now: [finding()])

    expect(waiting).to_contain_text("1")
    expect(table).to_contain_text(f"{timezone.localtime():%H}:00")
    expect(page.locator("#dashboard-news")).to_have_text("1 thing needs attention.")
    assert table.evaluate("each => each.open") is True
    assert page.locator("#hours-email-scroll").evaluate("each => each.scrollTop") == 90
    assert page.evaluate("document.activeElement.id") == "queue-1-1"
    assert waiting.evaluate(TOP) == pytest.approx(before, abs=1)
    assert troubles == []


def test_what_somebody_marks_stays_until_it_is_let_go(page: Page) -> None:
    waiting = page.locator("#queue-1-1")
    waiting.evaluate("each => getSelection().selectAllChildren(each)")

    queue(email())
    refreshed(page, SEVERAL)

    expect(waiting).to_contain_text("0")
    page.evaluate("getSelection().removeAllRanges()")
    expect(waiting).to_contain_text("1")


def test_a_pause_holds_and_is_kept_and_freshness_is_told(page: Page) -> None:
    pause, fresh = page.locator("#dashboard-pause"), page.locator("#dashboard-fresh")
    expect(fresh).to_have_text(re.compile(r"^Fresh at \d\d:\d\d:\d\d (GMT|BST)\.$"))
    pause.click()

    page.reload()
    told = fresh.inner_text()
    queue(email())
    page.wait_for_timeout(1500)

    expect(pause).to_have_attribute("aria-pressed", "true")
    assert fresh.inner_text() == told
    expect(page.locator("#queue-1-1")).to_contain_text("0")
    pause.click()
    expect(page.locator("#queue-1-1")).to_contain_text("1")
    expect(fresh).not_to_have_text(told)


def test_it_says_when_the_server_does_not_answer_and_when_nobody_is_signed_in(
    page: Page, troubles: list[str]
) -> None:
    trouble, waiting = page.locator("#dashboard-trouble"), page.locator("#queue-1-1")

    page.context.set_offline(True)
    expect(trouble).to_contain_text("The last refresh failed.")
    expect(waiting).to_be_visible()
    page.context.set_offline(False)
    expect(trouble).to_have_text("")

    Session.objects.all().delete()
    expect(trouble).to_contain_text("You were signed out")
    expect(waiting).to_be_visible()
    assert "Content Security Policy" not in " ".join(troubles)


def test_a_channel_that_is_down_is_resumed_from_the_first_page(
    page: Page, troubles: list[str]
) -> None:
    error = ProviderError("api: 503", permanent=False, cause=Cause.UNAVAILABLE)
    channels.named("email")
    for _ in range(20):
        channels.note("email", [error])
    watch_everything(timezone.now() + timedelta(seconds=1))

    page.get_by_role("button", name="Resume the channel").click()
    page.get_by_label("Why?").fill("The provider is up.")
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".messagelist")).to_contain_text("1 resumed.")
    assert not channels.why_closed("email")
    assert troubles == []
