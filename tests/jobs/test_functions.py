"""What a function answers when it was asked rightly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from jobs import triggers
from jobs.models import JobRun
from jobs.registry import FUNCTIONS
from jobs.services import pause_job
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, ClassSessionFactory
from tests.jobs.calling import WORKER, call
from tests.notifications.factories import email, queue, queue_emails, queue_whatsapps
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("every_secret"),
]

WORKER_NAMES = ("notification-worker", "process-queue", "run-worker-queue")
COUNTS_OF_ACCESS = {
    "escalated_to_grace",
    "escalated_to_locked",
    "restored_to_active",
    "no_change",
    "total_processed",
}
KEYS = {
    "run_worker_queue": {"processed", "results"},
    "schedule_create_zoom": {"candidates", "invoked", "skipped", "results"},
    "generate_t5_invoices": {
        "total_checked",
        "total_generated",
        "total_skipped",
        "total_errors",
        "execution_date",
        "results",
    },
    "run_escalation_orchestration": {"reminders_sent", "escalation", "timestamp"},
    "generate_monthly_invoices": {
        "execution_date",
        "created_count",
        "skipped_count",
        "error_count",
        "errors",
    },
    "escalate_overdue_bookings": COUNTS_OF_ACCESS,
}
BODIES = [
    "",
    "{}",
    '{"force":false}',
    '{"force_invoke":true}',
    '{"limit":10}',
    '{"limit":"10"}',
    '{"date":"2026-12-01","dry_run":true}',
]


@pytest.fixture(autouse=True)
def every_provider(provider: ProviderServer, settings: Settings) -> None:
    """Configure Zoom too; no class waits for a meeting, so nothing is asked of it."""
    settings.ZOOM_ACCOUNT_ID = settings.ZOOM_CLIENT_ID = settings.ZOOM_CLIENT_SECRET = "zoom"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_takes_every_body_of_its_callers(function: str) -> None:
    answers = [call(function, body) for body in BODIES]

    job = FUNCTIONS[function].name
    runs = JobRun.objects.order_by("pk")
    for answer, body, run in zip(answers, BODIES, runs, strict=True):
        told = answer.json()
        assert answer.status_code == 200
        assert told.keys() >= {"ok", "success", "job", "run_id", "dry_run"} | KEYS[job]
        assert (told["ok"], told["success"], told["job"]) == (True, True, job)
        assert (told["run_id"], told["dry_run"]) == (run.pk, "dry_run" in body)
        assert (run.job, run.trigger, run.actor) == (job, "http", "CRON_SECRET")


def test_the_orchestration_answers_the_moves_of_access_within() -> None:
    answer = call("run-escalation-orchestration", {"force": True})

    assert answer.json()["escalation"].keys() == COUNTS_OF_ACCESS


@pytest.mark.parametrize("function", WORKER_NAMES)
def test_the_worker_sends_and_answers_line_by_line(provider: ProviderServer, function: str) -> None:
    sent, refused = queue(email()), queue({"channel": "email"})

    told = call(function).json()

    lines = {line["id"]: line for line in told["results"]}
    assert told["processed"] == 2
    assert lines[sent.pk] == {"id": sent.pk, "ok": True}
    assert lines[refused.pk]["ok"] is False
    assert lines[refused.pk]["error"]
    assert len(provider.resend.accepted) == 1


@pytest.mark.parametrize(
    ("body", "sent"), [("", 10), ({"limit": 3}, 3), ({"limit": "4"}, 4), ({"limit": 1000}, 12)]
)
def test_the_worker_sends_ten_unless_asked_otherwise(body: Any, sent: int) -> None:
    queue_emails(12)

    told = call(WORKER, body).json()

    assert (told["processed"], told["left"]) == (sent, 12 - sent)


def test_a_dry_run_sends_nothing_and_says_so(provider: ProviderServer) -> None:
    queue(email())

    told = call(WORKER, {"dry_run": True}).json()

    assert told["dry_run"] is True
    assert told["results"][0]["dryRun"] is True
    assert provider.resend.calls == []
    assert JobRun.objects.get().dry_run


def test_a_message_that_failed_is_an_answer_not_an_error(provider: ProviderServer) -> None:
    provider.resend.faults = fail_next(Fault.server_error())
    queue(email())

    answer = call(WORKER)

    assert (answer.status_code, answer.json()["results"][0]["ok"]) == (200, False)


def test_a_row_that_cannot_be_billed_is_counted_in_a_good_answer(settings: Settings) -> None:
    settings.BILLING_TAX_RATE = Decimal(20)
    BookingFactory.create(price=Decimal("99999999.99"))

    answer = call("generate-monthly-invoices", {"date": "2026-12-03"})

    assert answer.status_code == 200
    assert (answer.json()["success"], answer.json()["error_count"]) == (True, 1)
    assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED


def test_names_that_the_job_does_not_take_are_ignored_and_told() -> None:
    told = call(WORKER, {"limit": 1, "date": "2026-12-01", "source": "our old scheduler"}).json()

    assert told["success"] is True
    assert told["ignored"] == ["source", "date"]


def test_a_slash_at_the_end_does_no_harm() -> None:
    assert call(f"{WORKER}/").status_code == 200


def test_the_run_is_for_the_business_date_asked_for() -> None:
    dated = [name for name in FUNCTIONS if FUNCTIONS[name].is_dated]

    for function in dated:
        call(function, {"date": "2026-12-01", "dry_run": True})

    days = JobRun.objects.values_list("business_on", flat=True)
    assert list(days) == [date(2026, 12, 1)] * len(dated)


def open_run(job: str) -> JobRun:
    return JobRun.objects.create(
        job=job,
        exclusive=True,
        trigger="cron",
        business_on=timezone.localdate(),
        lease_ends_at=Now() + timedelta(seconds=60),
    )


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if FUNCTIONS[name].exclusive])
def test_a_job_that_runs_already_is_a_conflict(function: str) -> None:
    job = FUNCTIONS[function].name
    run = open_run(job)

    answer = call(function)

    assert answer.status_code == 409
    assert answer.json() == {
        "ok": False,
        "success": False,
        "error": f"{job} is running already (run {run.pk}); nothing was done.",
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_paused_job_answers_that_it_was_skipped(function: str) -> None:
    queue(email())
    job = FUNCTIONS[function].name
    pause_job(job, by="amelia")

    answer = call(function)

    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "success": True,
        "skipped": "paused",
        "job": job,
        "run_id": None,
        "dry_run": False,
    }
    assert Notification.objects.get().status == Notification.Status.PENDING
    assert not JobRun.objects.exists()


def test_a_provider_that_is_not_configured_is_no_service(settings: Settings) -> None:
    settings.RESEND_API_KEY = settings.WHATSAPP_TOKEN = ""
    queue(email())

    answer = call(WORKER)

    assert answer.status_code == 503
    assert "RESEND_API_KEY" in answer.json()["error"]


def test_a_run_that_breaks_answers_its_error_in_a_sentence() -> None:
    with without_table("workers"):
        answer = call(WORKER)

    assert answer.status_code == 500
    assert answer.json() == {
        "ok": False,
        "success": False,
        "error": 'run_worker_queue failed (relation "workers" does not exist). '
        "The admin tells more, under runs of jobs.",
    }
    assert JobRun.objects.get().status == JobRun.Status.FAILED


@contextmanager
def without_table(name: str) -> Iterator[None]:
    """Take a table away for a while, as a migration that was forgotten would."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


def test_a_pass_ends_in_time_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.WHATSAPP_RATE_LIMIT = 1.0  # forty seconds for all
    monkeypatch.setattr(triggers, "CALLER_SECONDS", 0.0)  # as little time as any caller has
    queue_whatsapps(40)

    told = call(WORKER, {"limit": 40}).json()

    sent = sum(line["ok"] for line in told["results"])
    assert told["success"] is True
    assert told["left"] > 0
    assert sent + told["left"] == 40


def test_no_call_for_a_meeting_begins_when_its_caller_waits_no_longer(
    monkeypatch: pytest.MonkeyPatch, provider: ProviderServer
) -> None:
    ClassSessionFactory.create(online=True, starts_at=timezone.now() + timedelta(hours=4))
    monkeypatch.setattr(triggers, "CALLER_SECONDS", 0.0)

    told = call("schedule-create-zoom").json()

    [line] = told["results"]
    assert (told["success"], told["skipped"], provider.zoom.calls) == (True, 1, [])
    assert "was not asked: the time of whoever waits is over" in line["error"]


def test_no_clock_ticks_on_after_the_run() -> None:
    call(WORKER)

    clocks = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    for clock in clocks:
        clock.join(10)
    assert not any(clock.is_alive() for clock in clocks)
