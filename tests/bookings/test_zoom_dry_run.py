"""A dry run of the meetings tells, field by field, what the next real run makes and queues."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from bookings.models import ClassSession
from notifications.models import Notification
from tests.bookings.factories import (
    BookingFactory,
    CustomerFactory,
    EnrolmentFactory,
    InstructorFactory,
)
from tests.bookings.online import ask_without_an_answer, online, run
from tests.providers.server import ProviderServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_token_yet")]

# What is known of a class before its meeting is made; the rest Zoom tells.
KNOWN_BEFORE = ("session_id", "title", "starts_at", "ok", "error", "note", "messages")


def enrol_two(session: ClassSession) -> None:
    """Give a place to one who is told by e-mail and to one who is told by WhatsApp too."""
    for customer in (CustomerFactory.create(), CustomerFactory.create(agreed=True)):
        EnrolmentFactory.create(session=session, booking=BookingFactory.create(customer=customer))


def a_week_of_classes() -> None:
    """Classes whose meeting is made and is missing, with enrolments before and since."""
    made = online(hours=3, title="Made before")
    enrol_two(made)
    run()
    enrol_two(made)
    enrol_two(online(instructor=InstructorFactory.create(zoom_user="sam@club.example")))
    enrol_two(online(hours=5, title="Masters online", instructor=None))
    enrol_two(online(hours=6, title="Endless", ends_at=None))
    online(hours=7, instructor=InstructorFactory.create(email="no-address"))


def messages_in(result: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [*result["late"], *result["results"]]
    return [message for line in lines for message in line.get("messages", [])]


def messages_since(known: set[int]) -> list[dict[str, Any]]:
    """Return the messages that were queued beside those, as a result tells them."""
    return [
        {
            "type": row.type,
            "channel": row.payload["channel"],
            "to": row.payload["to"],
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        }
        for row in Notification.objects.exclude(pk__in=known).order_by("pk")
    ]


def known_before(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: line.get(name) for name in KNOWN_BEFORE} for line in lines]


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(provider: ProviderServer) -> None:
    session = online()

    result = run(dry_run=True)

    [line] = result["results"]
    assert (line["session_id"], line["minutes"], line["host"]) == (session.pk, 60, "me")
    assert (result["invoked"], provider.zoom.calls) == (0, [])
    assert Notification.objects.count() == 0


def test_15_a_dry_run_tells_what_the_next_run_makes(provider: ProviderServer) -> None:
    a_week_of_classes()
    held = len(provider.zoom.meetings)

    would, did = run(dry_run=True), run()

    made = [
        (each.user, each.payload["topic"], each.payload["duration"])
        for each in provider.zoom.meetings[held:]
    ]
    able = [line for line in would["results"] if line["ok"]]
    assert made == [(line["host"], line["topic"], line["minutes"]) for line in able]
    assert known_before(would["results"]) == known_before(did["results"])


def test_15_a_dry_run_tells_every_message_that_the_next_run_queues() -> None:
    a_week_of_classes()
    known = set(Notification.objects.values_list("pk", flat=True))

    would = run(dry_run=True)
    queued_by_it = messages_since(known)
    did = run()

    assert queued_by_it == []
    assert messages_in(would) == messages_in(did) == messages_since(known)
    assert (would["late"], would["told_late"]) == (did["late"], did["told_late"])
    assert would["told_late"] == 3


def test_15_a_dry_run_tells_where_the_next_run_looks_for_what_nobody_needs(
    provider: ProviderServer,
) -> None:
    sam = InstructorFactory.create(zoom_user="sam@club.example")
    session = online(instructor=sam)
    ask_without_an_answer(provider)
    ClassSession.objects.filter(pk=session.pk).update(is_online=False, instructor=None)
    calls = len(provider.zoom.calls)

    would = run(dry_run=True)["taken_back"]
    calls_of_it = len(provider.zoom.calls) - calls
    did = run()["taken_back"]

    where = ("session_id", "title", "starts_at", "host", "ok")
    assert [[line[name] for name in where] for line in would] == [
        [line[name] for name in where] for line in did
    ]
    assert (calls_of_it, would[0]["host"]) == (0, "sam@club.example")


@pytest.mark.parametrize("options", [("--dry-run",), ()])
def test_the_command_prints_who_is_told(options: tuple[str, ...]) -> None:
    place = EnrolmentFactory.create(session=online())
    out = StringIO()

    call_command("schedule_create_zoom", *options, stdout=out)

    host = place.session.instructor.email
    assert f"class_notification by email to {place.booking.customer.email}" in out.getvalue()
    assert f"class_host_notification by email to {host}" in out.getvalue()
