"""A class that changes while its meeting is made: what was made for nothing is taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.models import ClassSession
from egac.channels import pause, resume
from tests.bookings.factories import EnrolmentFactory, InstructorFactory
from tests.bookings.online import (
    cancel,
    deletes,
    during_the_create,
    later,
    move,
    online,
    queued,
    run,
)
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_token_yet")]


def test_a_class_cancelled_during_the_call_has_no_meeting_and_no_message(
    provider: ProviderServer,
) -> None:
    session = online()
    EnrolmentFactory.create(session=session)

    with during_the_create(lambda: cancel(session)):
        [line] = run()["results"]

    session.refresh_from_db()
    assert "taken back" in line["error"]
    assert (provider.zoom.meetings, session.meeting_asked_at) == ([], None)
    assert queued("class_notification") == queued("class_host_notification") == []


@pytest.mark.parametrize("held", ["too_fast", "key_refused", "paused"])
def test_invariant_17_a_meeting_that_could_not_be_taken_back_is_not_joined_by_another(
    provider: ProviderServer, held: str
) -> None:
    session = online()

    def move_while_nothing_is_taken_back() -> None:
        move(session, begin=1, end=1)
        hold_back(provider, held)

    with during_the_create(move_while_nothing_is_taken_back):
        run()
    assert len(provider.zoom.meetings) == 1
    let_go(provider)

    run()

    session.refresh_from_db()
    [meeting] = provider.zoom.meetings
    assert meeting.id == session.meeting_id
    assert meeting.payload["start_time"] == f"{session.starts_at:%Y-%m-%dT%H:%M:%SZ}"


def hold_back(provider: ProviderServer, how: str) -> None:
    """Let no meeting be taken back."""
    if how == "paused":
        pause("zoom", by="sam")
    provider.zoom.refuses_deletes = how == "too_fast"
    if how == "key_refused":
        provider.zoom.client = ("client", "another-secret")
        provider.zoom.forget_tokens()


def let_go(provider: ProviderServer) -> None:
    """Let meetings be taken back again, five minutes later."""
    provider.zoom.refuses_deletes = False
    provider.zoom.client = ("client", "client-secret")
    resume("zoom")
    later()


def test_a_pause_during_the_create_lets_no_call_through(provider: ProviderServer) -> None:
    session = online()

    def cancel_and_pause() -> None:
        cancel(session)
        pause("zoom", by="sam")

    with during_the_create(cancel_and_pause):
        run()

    assert deletes(provider) == 0


def test_a_class_that_another_run_asked_for_since_is_left_to_the_next(
    provider: ProviderServer,
) -> None:
    online(hours=1)
    other = online(hours=2)
    long_ago = timezone.now() - timedelta(minutes=5)
    theirs = ClassSession.objects.filter(pk=other.pk)

    with during_the_create(lambda: theirs.update(meeting_asked_at=long_ago)):
        result = run()

    assert "another run" in result["results"][1]["error"]
    assert len(provider.zoom.meetings) == 1


def test_a_class_that_got_another_instructor_during_the_call_keeps_no_meeting_of_the_first(
    provider: ProviderServer,
) -> None:
    session = online()
    bob = InstructorFactory.create(zoom_user="bob@club.example")
    theirs = ClassSession.objects.filter(pk=session.pk)

    with during_the_create(lambda: theirs.update(instructor=bob)):
        run()

    assert provider.zoom.meetings == queued("class_host_notification") == []
