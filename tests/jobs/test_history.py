"""prune_history: what is old goes, in small batches; what is open or young stays."""

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac.canary import CanaryRetry
from egac.delivery import DeliveryEvent, MessageAudit
from invites.models import Invite
from jobs import history
from jobs.history import prune_history
from jobs.models import Alert, JobRun
from notifications.history import messages_before
from notifications.models import EmailBatch, Notification, Worker
from tests.invites.factories import make_invites
from tests.jobs.runs import ran
from tests.notifications.factories import email, queue

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
OLD, YOUNG = NOW - 100 * DAY - timedelta(seconds=1), NOW - 100 * DAY + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def a_hundred_days(settings: Settings) -> None:
    for kind in ("AUDIT", "EVENTS", "BODIES", "MESSAGES", "RUNS", "WORKERS"):
        setattr(settings, f"KEEP_{kind}_DAYS", 100)


def prune(*, dry_run: bool = False) -> dict[str, int]:
    """Prune, and return how many of which kind went, without those of which none did."""
    counts = prune_history(NOW, dry_run=dry_run, stop=threading.Event())["counts"]
    return {name: count for name, count in counts.items() if count}


def audit_line(at: datetime, row: Invite | None = None) -> MessageAudit:
    return MessageAudit.objects.create(
        at=at,
        source="invites",
        source_id=str(row.pk) if row else "gone",
        generation=1,
        attempt=1,
        counted=True,
        channel="email",
        recipient="amelia@families.example",
        provider="resend",
        outcome=MessageAudit.Outcome.ACCEPTED,
    )


def event(at: datetime, **fields: Any) -> DeliveryEvent:
    told = {"provider": "resend", "provider_message_id": "m1", "kind": "delivered", **fields}
    event_id = str(DeliveryEvent.objects.count())
    return DeliveryEvent.objects.create(
        event_id=event_id, occurred_at=at, **{**told, "received_at": at}
    )


def message(at: datetime, status: str = Notification.Status.COMPLETED, **fields: Any) -> Any:
    return queue(email(), status=status, updated_at=at, **fields)


def batch(at: datetime, status: str = EmailBatch.Status.SENT) -> EmailBatch:
    return EmailBatch.objects.create(status=status, row_ids=[], updated_at=at)


def worker(at: datetime) -> Worker:
    return Worker.objects.create(name=str(at), kind=Worker.Kind.LOOP, seen_at=at)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("audit lines", audit_line),
        ("delivery events", event),
        ("messages", message),
        ("messages", lambda at: message(at, Notification.Status.CANCELLED)),
        ("batches", batch),
        ("workers", worker),
        ("runs of jobs", lambda at: ran(at, status=JobRun.Status.FAILED)),
        ("runs of jobs", lambda at: ran(at, status=JobRun.Status.LOST)),
        ("alerts", lambda at: alert(closed_at=at)),
        ("retries of causes", lambda at: retry_of_a_cause(ended_at=at, state="released")),
    ],
)
def test_what_is_older_than_its_days_goes(kind: str, make: Any) -> None:
    old, young = make(OLD), make(YOUNG)

    gone = prune()

    assert gone == {kind: 1}
    assert remaining(old, young) == [young]


def alert(**fields: Any) -> Alert:
    return Alert.objects.create(cause="pool", opened_at=OLD, last_seen_at=OLD, **fields)


def retry_of_a_cause(**fields: Any) -> CanaryRetry:
    about = {"source": "invites", "cause": "c1", "meaning": "", "canary_key": "1", "why": ""}
    return CanaryRetry.objects.create(
        canary_generation=1, held=2, started_at=OLD, started_by="maya", **{**about, **fields}
    )


def test_a_retry_that_waits_for_its_test_stays_however_old() -> None:
    retry_of_a_cause()

    assert prune() == {}


def test_an_alert_that_is_open_stays_however_old() -> None:
    alert()

    assert prune() == {}


def remaining(*rows: Model) -> list[Model]:
    return [row for row in rows if type(row)._default_manager.filter(pk=row.pk).exists()]


def test_an_open_message_stays_however_old() -> None:
    for status in (
        Notification.Status.PENDING,
        Notification.Status.PROCESSING,
        Notification.Status.FAILED,
    ):
        message(OLD, status)

    assert prune() == {}


def test_the_audit_of_an_open_row_stays_for_its_attempts_are_counted_by_it() -> None:
    waiting, sent = make_invites(2)
    Invite.objects.filter(pk=sent.pk).update(status=Invite.Status.SENT)
    kept, gone = audit_line(OLD, waiting), audit_line(OLD, sent)

    prune()

    assert remaining(kept, gone) == [kept]


def test_an_event_that_waits_for_its_row_stays() -> None:
    event(OLD, waits_for_row=True)

    assert prune() == {}


def test_a_running_run_and_the_newest_success_of_a_job_stay() -> None:
    running = ran(OLD, status=JobRun.Status.RUNNING, finished_at=None)
    newest, before, other = ran(OLD), ran(OLD - DAY), ran(OLD - 9 * DAY, "retry_invites")

    prune()

    assert remaining(running, newest, before, other) == [running, newest, other]


def test_a_batch_stays_as_long_as_its_messages() -> None:
    old = batch(OLD)
    kept = message(YOUNG, batch=old)

    assert prune() == {}

    Notification.objects.filter(pk=kept.pk).update(updated_at=OLD)
    assert prune() == {"messages": 1, "batches": 1}


def test_an_open_batch_stays() -> None:
    batch(OLD, EmailBatch.Status.PROCESSING)

    assert prune() == {}


def test_the_body_of_an_ended_row_goes_and_the_row_stays_as_it_was() -> None:
    row, young, waiting = make_invites(3, rendered="{}", preview="{}")
    ended = {"status": Invite.Status.SENT, "attempts": 1}
    Invite.objects.filter(pk=row.pk).update(updated_at=OLD, **ended)
    Invite.objects.filter(pk=young.pk).update(updated_at=YOUNG, **ended)
    Invite.objects.filter(pk=waiting.pk).update(updated_at=OLD)

    gone = prune()

    row.refresh_from_db()
    assert gone == {"bodies": 1}
    assert (row.rendered, row.preview) == (None, None)
    assert (row.status, row.attempts, row.updated_at) == ("sent", 1, OLD)
    assert Invite.objects.filter(rendered="{}", preview="{}").count() == 2


def test_the_bodies_of_all_outgoing_tables_go(settings: Settings) -> None:
    settings.KEEP_MESSAGES_DAYS = 1000
    message(OLD, rendered="{}")
    message(OLD, status=Notification.Status.FAILED, preview="{}")
    EmailBatch.objects.update_or_create(
        row_ids=[], status=EmailBatch.Status.FAILED, rendered="[]", updated_at=OLD
    )

    assert prune() == {"bodies": 3}


def test_a_dry_run_counts_what_the_next_run_removes() -> None:
    for make in (audit_line, event, worker):
        make(OLD)
        make(YOUNG)

    told = prune(dry_run=True)

    assert MessageAudit.objects.count() == DeliveryEvent.objects.count() == 2
    assert told == prune() == {"audit lines": 1, "delivery events": 1, "workers": 1}


def test_goes_batch_by_batch_until_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(history, "BATCH", 2)
    for number in range(5):
        audit_line(OLD - number * DAY)
    lines = next(kind for kind in history.KINDS if kind.name == "audit lines")

    with django_assert_num_queries(3 * 2 + 1):
        gone = history._forget(lines, lines.before(NOW), threading.Event())

    assert gone == 5


def test_ends_between_two_batches_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH", 2)
    for _ in range(5):
        audit_line(OLD)
    stop = threading.Event()
    lines = history.Kind(
        "audit lines",
        "KEEP_AUDIT_DAYS",
        history.audit_before,
        forget=lambda rows: [stop.set(), history.remove(rows)][1],
    )
    monkeypatch.setattr(history, "KINDS", [lines])

    result = prune_history(NOW, dry_run=False, stop=stop)

    assert result["counts"]["audit lines"] == 2
    assert MessageAudit.objects.count() == 3


def test_what_was_opened_meanwhile_stays() -> None:
    message(OLD)
    messages = history.Kind(
        "messages",
        "KEEP_MESSAGES_DAYS",
        messages_before,
        forget=lambda rows: [Notification.objects.update(status="pending"), history.remove(rows)][
            1
        ],
    )

    gone = history._forget(messages, messages.before(NOW), threading.Event())

    assert gone == 0
    assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_command_says_how_many_went_and_keeps_it_in_its_run() -> None:
    audit_line(timezone.now() - 101 * DAY)
    out = StringIO()

    call_command("prune_history", stdout=out)

    run = JobRun.objects.get()
    assert "audit lines 1, " in out.getvalue()
    assert (run.status, run.result["counts"]["audit lines"]) == ("succeeded", 1)
