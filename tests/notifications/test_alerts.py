"""What can be wrong with the queue, and staff who are told of it through the queue."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac import channels
from egac.moment import Moment
from egac.providers import Cause, ProviderError
from jobs.models import Alert
from jobs.sinks import SINKS, Event, Notice
from jobs.watchers import Finding
from notifications.alerts import STAFF, tell_staff, watch_notifications
from notifications.heartbeat import Heartbeat
from notifications.models import Notification, Worker
from notifications.passes import run_pass
from notifications.staff import retry_now
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AGO = timedelta(minutes=16)


def found() -> dict[str, Finding]:
    return {finding.cause: finding for finding in watch_notifications(Moment(datetime.now(UTC)))}


def waited(payload: dict[str, Any], **fields: Any) -> Notification:
    """Queue a message that has been due for long."""
    row = queue(payload)
    told = {"created_at": Now() - LONG_AGO, "updated_at": Now() - LONG_AGO, **fields}
    Notification.objects.filter(pk=row.pk).update(**told)
    return row


def a_worker_lives() -> None:
    Heartbeat(Worker.Kind.LOOP).beat()


def test_finds_nothing_in_a_healthy_queue() -> None:
    queue(email())
    queue(email(), status="completed")

    assert found() == {}


def test_counts_what_failed_and_of_what_nobody_knows() -> None:
    queue(email(), status="failed", reason="permanent")
    queue(whatsapp(), status="failed", reason="uncertain")

    assert found()["failed_notifications"].sentence == (
        "2 queued messages have failed; of 1 nobody knows whether they arrived."
    )


def test_one_failed_message_is_one_message() -> None:
    queue(email(), status="failed")

    assert found()["failed_notifications"].sentence == "1 queued message has failed."


def test_finds_that_nobody_sends() -> None:
    waited(email())

    [finding] = found().values()
    assert finding.cause == "job:run_worker_queue"
    assert finding.sentence.endswith("for 5 minutes, and 1 queued message has come due.")


def test_finds_a_missing_worker_before_a_message_waits(settings: Settings) -> None:
    settings.WORKER_EXPECTED = True

    missing = found()
    a_worker_lives()

    assert "No worker was seen for 5 minutes" in missing["job:run_worker_queue"].sentence
    assert found() == {}


@pytest.mark.parametrize(
    ("payload", "cause", "words"),
    [
        (email(), "due_too_old:email", "2 e-mails have been due for more than 15 minutes."),
        (whatsapp(), "due_too_old:whatsapp", "2 WhatsApp messages have been due for more"),
    ],
)
def test_finds_what_a_living_worker_does_not_send(
    payload: dict[str, Any], cause: str, words: str
) -> None:
    a_worker_lives()
    waited(payload)
    waited(payload)
    queue(payload)

    [finding] = found().values()
    assert finding.cause == cause
    assert finding.sentence.startswith(words)


def test_says_who_paused_the_channel() -> None:
    a_worker_lives()
    waited(email())
    channels.pause("email", by="mia")

    assert "The e-mail channel was paused by mia." in found()["due_too_old:email"].sentence


def test_says_what_is_not_configured(settings: Settings) -> None:
    settings.WHATSAPP_TOKEN = ""
    a_worker_lives()
    waited(whatsapp())

    assert "set WHATSAPP_TOKEN" in found()["due_too_old:whatsapp"].sentence


@pytest.mark.parametrize(
    "changes", [{"SENDING": False}, {"RESEND_DRY_RUN": True}], ids=["off", "dry run"]
)
def test_what_is_held_back_on_purpose_does_not_wait_too_long(
    settings: Settings, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    waited(email())

    assert found() == {}


def test_what_waits_for_a_channel_that_is_down_is_told_with_the_channel() -> None:
    a_worker_lives()
    waited(email())
    channels.named("email")
    refused = ProviderError("Resend answered 401.", cause=Cause.CREDENTIALS)
    channels.note("email", [refused])

    assert found() == {}


@pytest.mark.parametrize(
    "fields", [{"due_at": Now() + timedelta(hours=1)}, {"due_at": Now(), "updated_at": Now()}]
)
def test_a_message_that_is_not_due_for_long_does_not_wait_too_long(fields: dict[str, Any]) -> None:
    a_worker_lives()
    waited(email(), **fields)

    assert found() == {}


def test_an_old_message_that_staff_retry_has_only_just_become_due() -> None:
    a_worker_lives()
    row = waited(email(), status="failed")

    retry_now([row.pk])

    assert found() == {}


# Staff are told


def alert(**fields: Any) -> Alert:
    return Alert.objects.create(
        **{
            "cause": "pool",
            "sentence": "The pool is cold.",
            "opened_at": NOON,
            "last_seen_at": NOON,
            **fields,
        }
    )


def notice(event: Event, number: int, now: datetime = NOON) -> Notice:
    return Notice(
        event=event,
        number=number,
        cause="pool",
        sentence="The pool is cold.",
        next_step="Heat it.",
        link="https://ops.club.example/admin/",
        opened_at=NOON,
        now=now,
    )


@pytest.fixture
def staff(settings: Settings) -> list[str]:
    settings.STAFF_ALERT_EMAILS = ["mia@club.example", "tom@club.example"]
    return settings.STAFF_ALERT_EMAILS


def test_staff_are_told_by_email_through_the_queue(staff: list[str]) -> None:
    tell_staff(notice(Event.OPENED, alert().pk))

    assert sorted(Notification.objects.values_list("payload__to", flat=True)) == staff


@pytest.mark.django_db(transaction=True)
def test_the_email_says_what_to_do(staff: list[str], provider: ProviderServer) -> None:
    tell_staff(notice(Event.OPENED, alert().pk))

    run_pass(limit=10, seconds=10)

    mail = provider.resend.accepted[0].payload
    assert mail["subject"] == "The pool is cold."
    assert "What to do: Heat it." in mail["text"]
    assert "https://ops.club.example/admin/" in mail["text"]


def test_an_address_that_is_none_keeps_nobody_else_from_hearing(settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = ["no address", "mia@club.example"]

    tell_staff(notice(Event.OPENED, alert().pk))

    assert Notification.objects.get().payload["to"] == "mia@club.example"


def test_the_same_notice_is_queued_once(staff: list[str]) -> None:
    number = alert().pk

    for _ in range(2):
        tell_staff(notice(Event.OPENED, number))

    assert Notification.objects.count() == 2


def test_an_alert_that_lasts_is_told_of_once_a_day(staff: list[str]) -> None:
    number = alert().pk

    for hours in (24, 25, 48):
        tell_staff(notice(Event.LASTING, number, NOON + timedelta(hours=hours)))

    assert Notification.objects.count() == 2 * len(staff)


@pytest.mark.django_db(transaction=True)
def test_an_email_about_what_is_over_by_then_is_not_sent(
    staff: list[str], provider: ProviderServer
) -> None:
    over = alert()
    tell_staff(notice(Event.OPENED, over.pk))
    Alert.objects.update(closed_at=NOON)

    run_pass(limit=10, seconds=10)

    assert provider.resend.accepted == []
    assert set(Notification.objects.values_list("status", "reason")) == {
        ("cancelled", "irrelevant")
    }


@pytest.mark.django_db(transaction=True)
def test_staff_hear_of_the_end(staff: list[str], provider: ProviderServer) -> None:
    tell_staff(notice(Event.CLOSED, alert(closed_at=NOON).pk, NOON + timedelta(hours=1)))

    run_pass(limit=10, seconds=10)

    mail = provider.resend.accepted[0].payload
    assert mail["subject"] == "Over: The pool is cold."
    assert "until Tuesday 24 November 2026 at 13:00 GMT" in mail["text"]


def test_email_is_one_of_the_sinks(staff: list[str], settings: Settings) -> None:
    configured = STAFF.is_configured()
    settings.STAFF_ALERT_EMAILS = []

    assert SINKS["e-mail"] is STAFF
    assert (configured, STAFF.is_configured()) == (True, False)
