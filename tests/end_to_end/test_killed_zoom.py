"""The maker of meetings, killed between Zoom's taking a meeting and our keeping it."""

import json
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from bookings.models import ClassSession
from bookings.services import cancel_sessions
from jobs.models import JobRun
from notifications.models import Notification
from tests.bookings.factories import ClassSessionFactory, EnrolmentFactory
from tests.end_to_end.processes import environment, running
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

COMMAND = ("manage.py", "schedule_create_zoom", "--json")
LATER = timedelta(minutes=5)


def child(provider: ProviderServer) -> dict[str, str]:
    return environment(
        provider,
        ZOOM_API_URL=f"{provider.url}/v2",
        ZOOM_OAUTH_URL=f"{provider.url}/oauth/token",
        PROVIDER_TIMEOUT_SECONDS="60",
    )


def kill_after_the_create(provider: ProviderServer) -> None:
    """Kill the command while it waits for the answer to its create, and let five minutes pass."""
    gate = provider.zoom.gate = Gate.after_accepting()
    with running(*COMMAND, env=child(provider)) as process:
        gate.wait_for_arrival(timeout=30)
        process.kill()
    gate.let_go()
    provider.zoom.gate = None
    ClassSession.objects.update(meeting_asked_at=F("meeting_asked_at") - LATER)
    JobRun.objects.update(lease_ends_at=Now() - LATER)


def test_invariant_17_killed_between_the_create_and_the_save_it_makes_no_second_meeting(
    provider: ProviderServer,
) -> None:
    session = ClassSessionFactory.create(online=True, starts_at=timezone.now() + timedelta(hours=4))
    EnrolmentFactory.create(session=session)
    kill_after_the_create(provider)
    assert ClassSession.objects.get().meeting_id is None
    assert Notification.objects.count() == 0

    with running(*COMMAND, env=child(provider)) as process:
        out, _ = process.wait()

    [line] = json.loads(out)["results"]
    [held] = provider.zoom.meetings
    assert (line["found"], line["meeting_id"]) == (True, held.id)
    assert Notification.objects.filter(type="class_notification").count() == 1
    assert JobRun.objects.filter(status=JobRun.Status.LOST).count() == 1


def test_a_class_cancelled_after_the_kill_keeps_no_meeting(provider: ProviderServer) -> None:
    session = ClassSessionFactory.create(online=True, starts_at=timezone.now() + timedelta(hours=4))
    kill_after_the_create(provider)
    cancel_sessions([session.pk], because="Snow", actor="sam")

    with running(*COMMAND, env=child(provider)) as process:
        out, _ = process.wait()

    [line] = json.loads(out)["taken_back"]
    assert line["ok"]
    assert provider.zoom.meetings == []
