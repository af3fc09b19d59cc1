"""Double clicks, the back button and pages left open: one effect, and a sentence that says so."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from invites.models import Invite
from tests.end_to_end.browser import Open
from tests.invites.factories import InviteFactory
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def asked(open_page: Open, provider: ProviderServer) -> Page:
    """The page that asks whether a failed invite is to be sent now."""
    invite = InviteFactory(status=Invite.Status.FAILED, reason="exhausted", attempts=3)
    page = open_page(f"invites/invite/{invite.pk}/change/")
    page.get_by_role("button", name="Retry now").click()
    return page


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Retry now").click()


def accepted(provider: ProviderServer) -> list[Any]:
    return provider.resend.accepted


def test_18_a_double_click_sends_once(asked: Page, provider: ProviderServer) -> None:
    asked.get_by_role("button", name="Retry now").dblclick()

    expect(asked.locator(".messagelist")).to_contain_text(re.compile(r"1 sent\.|Skipped: 1"))
    assert eventually(lambda: Invite.objects.filter(status=Invite.Status.SENT).exists())
    assert len(accepted(provider)) == 1


def test_18_the_back_button_shows_how_it_stands_now(asked: Page, provider: ProviderServer) -> None:
    confirm(asked)
    expect(asked.locator(".messagelist")).to_contain_text("1 sent.")

    asked.evaluate("history.go(-2)")  # past the page that asked, which a browser keeps no copy of

    expect(asked.locator(".ops-sentence")).to_contain_text("Sent on")
    expect(asked.get_by_role("button", name="Retry now")).to_have_count(0)
    assert len(accepted(provider)) == 1


def test_18_a_page_left_open_overnight_sends_nothing_and_says_so(
    asked: Page, provider: ProviderServer
) -> None:
    Session.objects.all().delete()

    confirm(asked)

    expect(asked.locator(".messagelist")).to_contain_text("signed out meanwhile, so nothing was")
    assert asked.get_by_label("Username").is_visible()
    assert accepted(provider) == []
    assert Invite.objects.get().status == Invite.Status.FAILED


def test_18_a_page_older_than_the_sign_in_sends_nothing_and_opens_anew(
    asked: Page, provider: ProviderServer, live_server: LiveServer
) -> None:
    renewed = {"name": "csrftoken", "value": "n" * 32, "url": live_server.url}
    asked.context.add_cookies([renewed])  # as a sign-in in another tab leaves it

    confirm(asked)
    sent_by_then = len(accepted(provider))
    expect(asked.locator("#content")).to_contain_text("older than your last sign-in")
    asked.get_by_role("link", name="Open it anew").click()

    expect(asked.locator(".messagelist")).to_contain_text("Nothing was changed")
    assert sent_by_then == len(accepted(provider)) == 0
