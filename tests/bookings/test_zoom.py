"""Online classes get one meeting each, and everyone who needs it is told."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from bookings.models import ClassSession
from egac.channels import Channel, pause
from egac.days import start_of
from egac.providers import NotConfigured
from notifications.models import Notification
from tests.bookings.factories import (
    BookingFactory,
    ClassSessionFactory,
    CustomerFactory,
    EnrolmentFactory,
    InstructorFactory,
)
from tests.bookings.online import online, queued, run
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_token_yet")]


def test_makes_the_meeting_in_utc_as_long_as_the_class_and_keeps_it(
    provider: ProviderServer,
) -> None:
    session = online(instructor=InstructorFactory.create(zoom_user="sam@club.example"))

    result = run()

    session.refresh_from_db()
    [held] = provider.zoom.meetings
    assert (held.user, held.payload["duration"]) == ("sam@club.example", 60)
    assert datetime.fromisoformat(held.payload["start_time"]) == session.starts_at.replace(
        microsecond=0
    )
    assert (session.meeting_id, session.join_link) == (held.id, held.links["join_url"])
    assert (result["candidates"], result["invoked"], result["skipped"]) == (1, 1, 0)


def test_tells_everyone_enrolled_how_to_join_and_the_instructor_how_to_start() -> None:
    session = online()
    agreed = CustomerFactory.create(agreed=True)
    EnrolmentFactory.create(session=session, booking=BookingFactory.create(customer=agreed))
    EnrolmentFactory.create(session=session)
    EnrolmentFactory.create(session=session, booking=BookingFactory.create(status="cancelled"))

    run()

    session.refresh_from_db()
    told = queued("class_notification")
    assert sorted(each.payload["channel"] for each in told) == ["email", "email", "whatsapp"]
    assert {each.payload["context"]["join_link"] for each in told} == {session.join_link}
    [to_host] = queued("class_host_notification")
    assert to_host.payload["to"] == session.instructor.email
    assert to_host.payload["context"]["host_link"] == session.host_link
    assert to_host.expires_at == session.ends_at


def test_a_customer_without_a_usable_address_keeps_nobody_from_the_class() -> None:
    session = online()
    EnrolmentFactory.create(
        session=session, booking__customer=CustomerFactory.create(email="no-address")
    )
    EnrolmentFactory.create(session=session)

    result = run()

    assert result["invoked"] == 1
    assert len(queued("class_notification")) == 1


@pytest.mark.parametrize(
    ("instructor", "sentence"),
    [
        (lambda: None, "no instructor"),
        (lambda: InstructorFactory.create(email=""), "no usable e-mail address"),
    ],
)
def test_says_when_nobody_was_sent_the_host_link(
    instructor: Callable[[], Any], sentence: str
) -> None:
    online(instructor=instructor())

    [line] = run()["results"]

    assert line["ok"]
    assert sentence in line["note"]


def test_a_second_run_makes_no_meeting_and_no_message(provider: ProviderServer) -> None:
    EnrolmentFactory.create(session=online())
    run()
    told = Notification.objects.count()

    result = run()

    assert (result["candidates"], result["invoked"]) == (0, 0)
    assert len(provider.zoom.meetings) == 1
    assert Notification.objects.count() == told


def test_who_enrols_after_the_meeting_was_made_is_told_by_the_next_run() -> None:
    session = online()
    run()
    EnrolmentFactory.create(session=session)

    result = run()

    assert result["told_late"] == len(queued("class_notification")) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"hours": 13},
        {"hours": -1},
        {"status": "cancelled"},
        {"status": "completed"},
        {"is_online": False},
    ],
)
def test_leaves_alone_a_class_that_needs_no_meeting_now(
    provider: ProviderServer, fields: dict[str, Any]
) -> None:
    session = online(hours=fields.pop("hours", 4))
    ClassSession.objects.filter(pk=session.pk).update(**fields)

    result = run()

    assert (result["candidates"], provider.zoom.meetings) == (0, [])


def test_the_soonest_class_goes_first(provider: ProviderServer) -> None:
    online(hours=9, title="Later")
    online(hours=2, title="Sooner")

    result = run(limit=1)

    assert [held.payload["topic"] for held in provider.zoom.meetings] == ["Sooner"]
    assert (result["candidates"], result["invoked"], result["skipped"]) == (2, 1, 1)


def test_a_class_without_an_end_is_reported_and_the_others_are_done() -> None:
    online(title="Endless", ends_at=None)
    online(hours=5)

    result = run()

    assert result["invoked"] == 1
    assert "no end" in result["results"][0]["error"]
    assert "no end" in ClassSession.objects.get(title="Endless").meeting_error


def test_the_daily_limit_of_a_host_lets_the_other_hosts_go_on_and_the_rest_wait(
    provider: ProviderServer,
) -> None:
    busy = InstructorFactory.create(zoom_user="busy@club.example")
    for hours in (1, 2, 3):
        online(hours=hours, instructor=busy)
    online(hours=4)
    provider.zoom.daily_limit = 1

    result = run()
    again = run()

    assert (result["invoked"], result["skipped"]) == (2, 2)
    assert all(
        "daily" in line["error"] or "day" in line["error"] for line in result["results"][1:3]
    )
    assert (again["candidates"], again["results"]) == (2, [])


def test_a_refused_key_stops_the_run_and_says_so_once(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.ZOOM_CLIENT_SECRET = "wrong"
    online(hours=1)
    online(hours=2)

    result = run()

    assert (result["invoked"], result["skipped"], len(result["results"])) == (0, 2, 1)
    assert "our key" in result["note"]


def test_a_paused_channel_makes_no_call(provider: ProviderServer) -> None:
    online()
    pause("zoom", by="sam")

    result = run()

    assert provider.zoom.calls == []
    assert "paused by sam" in result["note"]


def test_a_failing_zoom_opens_the_breaker(provider: ProviderServer) -> None:
    for hours in range(1, 9):
        online(hours=hours)
    provider.zoom.faults = always(Fault.server_error())

    result = run()

    assert (result["invoked"], len(result["results"])) == (0, 5)
    assert Channel.objects.get(name="zoom").probing


@pytest.mark.parametrize(("days", "made"), [(2, 1), (0, 0), (-1, 0)])
def test_a_date_takes_the_classes_of_that_day_as_far_as_they_are_ahead(
    provider: ProviderServer, days: int, made: int
) -> None:
    noon = start_of(timezone.localdate()) + timedelta(days=2, hours=12)
    ClassSessionFactory.create(online=True, starts_at=noon)
    ClassSessionFactory.create(online=True, starts_at=noon + timedelta(days=1))
    on = timezone.localdate() + timedelta(days=days)

    call_command("schedule_create_zoom", "--date", on.isoformat(), stdout=StringIO())

    assert len(provider.zoom.meetings) == made


def test_what_is_missing_is_asked_for_only_when_a_class_needs_it(settings: Settings) -> None:
    settings.ZOOM_ACCOUNT_ID = ""

    nothing_to_do = run()
    online()

    assert nothing_to_do["candidates"] == 0
    with pytest.raises(NotConfigured, match="ZOOM_ACCOUNT_ID"):
        run()


def test_a_run_that_is_told_to_stop_leaves_the_rest_to_the_next(provider: ProviderServer) -> None:
    online()
    stop = threading.Event()
    stop.set()

    result = run(stop=stop)

    assert (result["skipped"], provider.zoom.calls) == (1, [])
