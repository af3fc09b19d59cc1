"""What needs attention is told as it is now, whenever the monitor last looked."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from egac import channels
from egac.providers import Cause, ProviderError
from invites.models import Invite
from jobs.alerts import watch_everything
from jobs.models import Alert
from notifications.models import Worker
from tests.egac.panels import shown
from tests.invites.factories import InviteFactory
from tests.jobs.runs import ran
from tests.notifications.factories import email, queue
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def worker(provider: ProviderServer) -> Worker:
    """Nothing is missing, and somebody sends."""
    return Worker.objects.create(name="host:1", kind=Worker.Kind.LOOP)


@pytest.fixture
def looked() -> None:
    """The monitor has just looked around."""
    ran(timezone.now(), job="check_invite_stats")


def closed_channel() -> None:
    error = ProviderError("api: 503", permanent=False, cause=Cause.UNAVAILABLE)
    channels.named("email")
    channels.note("email", [error] * channels.BREAKER_AFTER)


def test_what_is_wrong_is_told_since_its_alert_until_it_is_mended(looked: None) -> None:
    for _ in range(3):
        InviteFactory(status="failed", reason="permanent")
    opened = timezone.now() - timedelta(days=2)
    told = {"sentence": "1 invite has failed.", "page": "/admin/"}
    Alert.objects.create(cause="failed_invites", opened_at=opened, last_seen_at=opened, **told)
    before = shown("attention")

    Invite.objects.update(status="cancelled")

    assert "3 invites have failed. Open the failed invites in the admin" in before
    assert f"Since {timezone.localtime(opened):%-d %B %Y}" in before
    assert "All is well: nothing is wrong now." in shown("attention")


def test_what_began_since_the_last_look_is_told(looked: None) -> None:
    queue(email())

    closed_channel()

    told = shown("attention")
    assert "1 message waits. The e-mail channel is closed until" in told
    assert "Just found: nobody was told yet. Open channels" in told
    assert Alert.objects.count() == 0


def test_what_staff_have_just_ended_is_told_no_more(looked: None) -> None:
    closed_channel()
    watch_everything(timezone.now())
    manager = login("Managers")
    assert "Resume the channel" in shown("attention", manager)

    press_resume(manager, "email")

    assert "All is well: nothing is wrong now." in shown("attention", manager)
    assert Alert.objects.open().count() == 1  # the next look closes it, and tells who was told


def press_resume(client: Client, channel: str) -> None:
    url = "/admin/egac/channel/resume/"
    asked: Any = client.post(url, {"_selected_action": [channel]})
    why = {"reason": "The provider says that all is well."}
    client.post(url, {"seen": asked.context["seen"], "back": "", **why})


def test_that_nobody_looks_is_told_too() -> None:
    ran(timezone.now() - timedelta(hours=3), job="check_invite_stats")

    assert "Nobody has looked for trouble since" in shown("attention")
    assert "All is well" not in shown("attention")
