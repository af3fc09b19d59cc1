"""At most one meeting a class, when nobody knows what became of the call that asks for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from bookings.models import ClassSession
from notifications.models import Notification
from tests.bookings.factories import EnrolmentFactory, InstructorFactory
from tests.bookings.online import (
    ask_without_an_answer,
    cancel,
    deletes,
    hold_offline,
    later,
    move,
    online,
    queued,
    run,
)
from tests.egac.threads import side_by_side
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_token_yet")]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.reset_after_accepting(),
        Fault.half_an_answer(),
        Fault.not_json(),
        Fault.hang_after_accepting(),
    ],
    ids=lambda fault: fault.label,
)
def test_invariant_17_a_meeting_of_unknown_outcome_is_found_and_not_made_again(
    provider: ProviderServer, settings: Settings, fault: Fault
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.5
    session = online()
    EnrolmentFactory.create(session=session)
    provider.zoom.faults = fail_next(fault)
    run()
    later()

    [line] = run()["results"]

    session.refresh_from_db()
    [held] = provider.zoom.meetings
    assert (line["found"], session.meeting_id) == (True, held.id)
    assert len(queued("class_notification")) == 1


def test_a_meeting_that_never_came_about_is_made_by_the_next_run(
    provider: ProviderServer,
) -> None:
    online()
    provider.zoom.faults = fail_next(Fault.reset_before_accepting())
    run()
    later()

    [line] = run()["results"]

    assert (line["ok"], line["found"], len(provider.zoom.meetings)) == (True, False, 1)


def test_a_class_whose_meeting_is_being_asked_for_is_left_alone(
    provider: ProviderServer,
) -> None:
    session = online()
    ClassSession.objects.filter(pk=session.pk).update(meeting_asked_at=timezone.now())

    [line] = run()["results"]

    assert "another run" in line["error"]
    assert provider.zoom.calls == []


def test_invariant_17_a_class_that_got_another_instructor_has_one_meeting_by_that_host(
    provider: ProviderServer,
) -> None:
    ann, bob = (InstructorFactory.create(zoom_user=f"{name}@club.example") for name in "ab")
    session = online(instructor=ann)
    ask_without_an_answer(provider)
    ClassSession.objects.filter(pk=session.pk).update(instructor=bob)

    run()

    session.refresh_from_db()
    [held] = provider.zoom.meetings
    assert (held.user, held.id) == ("b@club.example", session.meeting_id)


def test_a_class_whose_first_host_was_removed_gets_its_meeting_by_the_next(
    provider: ProviderServer,
) -> None:
    session = online(instructor=InstructorFactory.create(zoom_user="ann@club.example"))
    ask_without_an_answer(provider)
    provider.zoom.users_gone = {"ann@club.example"}
    ClassSession.objects.filter(pk=session.pk).update(instructor=None)

    run()

    assert [held.user for held in provider.zoom.meetings] == ["me"]


@pytest.mark.parametrize("moved", [{"begin": 2, "end": 2}, {"end": 1}], ids=["later", "longer"])
def test_invariant_17_a_class_that_was_moved_has_one_meeting_at_its_new_time(
    provider: ProviderServer, moved: dict[str, float]
) -> None:
    session = online()
    ask_without_an_answer(provider)
    move(session, **moved)

    run()

    session.refresh_from_db()
    assert session.ends_at is not None
    [held] = provider.zoom.meetings
    assert held.id == session.meeting_id
    assert held.payload["start_time"] == f"{session.starts_at:%Y-%m-%dT%H:%M:%SZ}"
    assert timedelta(minutes=held.payload["duration"]) == session.ends_at - session.starts_at


@pytest.mark.parametrize("change", [cancel, hold_offline])
def test_a_class_that_needs_no_meeting_any_more_keeps_none_and_is_asked_of_once(
    provider: ProviderServer, change: Callable[[ClassSession], None]
) -> None:
    session = online()
    ask_without_an_answer(provider)
    change(session)

    first, calls = run(), len(provider.zoom.calls)
    second = run()

    [line] = first["taken_back"]
    assert (line["session_id"], line["ok"], line["host"]) == (session.pk, True, "me")
    assert provider.zoom.meetings == second["taken_back"] == []
    assert len(provider.zoom.calls) == calls
    assert Notification.objects.count() == 0


def test_what_was_never_made_is_not_taken_back(provider: ProviderServer) -> None:
    session = online()
    provider.zoom.faults = fail_next(Fault.reset_before_accepting())
    run()
    later()
    hold_offline(session)

    [line] = run()["taken_back"]

    session.refresh_from_db()
    assert (line["ok"], line["meeting_id"], deletes(provider)) == (True, None, 0)
    assert session.meeting_asked_at is None


def test_what_zoom_does_not_take_back_now_is_taken_back_by_the_next_run(
    provider: ProviderServer,
) -> None:
    session = online()
    ask_without_an_answer(provider)
    cancel(session)
    provider.zoom.refuses_deletes = True
    [refused] = run()["taken_back"]
    provider.zoom.refuses_deletes = False
    later()

    [line] = run()["taken_back"]

    assert (refused["ok"], line["ok"]) == (False, True)
    assert provider.zoom.meetings == []


@pytest.mark.django_db(transaction=True)
def test_invariant_17_runs_side_by_side_make_one_meeting_each(provider: ProviderServer) -> None:
    for hours in range(1, 6):
        online(hours=hours)

    side_by_side(4, lambda _: run())

    assert len(provider.zoom.meetings) == 5
    assert len(queued("class_host_notification")) == 5
