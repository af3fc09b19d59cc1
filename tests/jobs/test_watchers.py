"""What the jobs' own watchers find: channels that are down, jobs that failed or are late."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from egac import channels
from egac.channels import Channel
from egac.moment import Moment
from egac.providers import Cause, ProviderError
from jobs.models import Alert, JobRun
from jobs.registry import JOBS, WATCH_JOB
from jobs.services import Start, pause_job, run_job
from jobs.watchers import BLIND, Finding, watch_channels, watch_jobs
from tests.jobs.runs import ran

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
NIGHTLY = "generate_t5_invoices"


@pytest.fixture(autouse=True)
def every_job_succeeded() -> None:
    MigrationRecorder.Migration.objects.update(applied=NOON - timedelta(days=9))
    for job in JOBS:
        ran(NOON - timedelta(minutes=1), job)


def failed(job: str, error: str = "The price is gone.", **fields: Any) -> JobRun:
    return ran(NOON, job, status=JobRun.Status.FAILED, error=error, **fields)


def found(now: datetime = NOON) -> dict[str, Finding]:
    return {finding.cause: finding for finding in watch_jobs(Moment(now))}


def test_finds_nothing_while_every_job_succeeds() -> None:
    assert found() == {}


def test_finds_a_job_that_failed_and_names_its_run() -> None:
    run = failed(NIGHTLY)

    finding = found()[f"job:{NIGHTLY}"]
    assert finding.sentence == (
        "Bill yesterday's classes (generate_t5_invoices) failed 1 time: The price is gone."
    )
    assert finding.page == f"/admin/jobs/jobrun/{run.pk}/change/"


def test_says_how_often_a_job_failed_since_it_last_succeeded() -> None:
    ran(NOON - timedelta(days=3), NIGHTLY, status=JobRun.Status.FAILED)
    failed(NIGHTLY)
    failed(NIGHTLY)
    failed(WATCH_JOB)
    ran(NOON, WATCH_JOB, status=JobRun.Status.LOST)

    assert "(generate_t5_invoices) failed 2 times in a row: " in found()[f"job:{NIGHTLY}"].sentence
    assert "it failed 2 times in a row. " in found()[BLIND].sentence


def test_asks_as_often_where_every_job_failed_as_where_one_did() -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            found()
        return len(asked)

    failed(NIGHTLY)
    of_one = questions()
    for job in JOBS:
        failed(job)

    assert questions() == of_one
    assert len(found()) == len(JOBS)


def test_a_later_success_ends_it() -> None:
    failed(NIGHTLY)

    ran(NOON + timedelta(seconds=1), NIGHTLY)

    assert found() == {}


def test_a_dry_run_that_failed_is_nobodys_trouble() -> None:
    failed(NIGHTLY, dry_run=True)

    assert found() == {}


def test_finds_a_run_whose_process_is_gone() -> None:
    ran(NOON, NIGHTLY, status=JobRun.Status.RUNNING, lease_ends_at=NOON - timedelta(seconds=1))

    assert "process was killed" in found()[f"job:{NIGHTLY}"].sentence


def test_a_run_that_still_runs_is_no_failure() -> None:
    ran(NOON, NIGHTLY, status=JobRun.Status.RUNNING, lease_ends_at=NOON + timedelta(seconds=9))

    assert found() == {}


def test_finds_a_job_that_is_late() -> None:
    tomorrow = NOON + timedelta(days=1)
    for job in set(JOBS) - {NIGHTLY}:
        ran(tomorrow, job)

    [finding] = found(tomorrow).values()
    assert finding.cause == f"job:{NIGHTLY}"
    assert finding.sentence.startswith("Bill yesterday's classes is late:")


def test_a_job_that_failed_and_so_is_late_is_one_cause() -> None:
    tomorrow = NOON + timedelta(days=1)
    failed(NIGHTLY)
    for job in set(JOBS) - {NIGHTLY}:
        ran(tomorrow, job)

    [finding] = watch_jobs(Moment(tomorrow))
    assert "failed" in finding.sentence


def test_of_a_paused_job_nothing_is_expected() -> None:
    failed(NIGHTLY)
    pause_job(NIGHTLY, by="mia")

    assert found(NOON + timedelta(days=1)).keys().isdisjoint({f"job:{NIGHTLY}"})


def test_a_monitor_that_sees_nothing_is_blind() -> None:
    failed(WATCH_JOB, "https://club.example is unreachable.")

    assert found()[BLIND].sentence == (
        "The monitor is blind: it failed 1 time. https://club.example is unreachable."
    )


def test_a_long_error_is_cut() -> None:
    failed(NIGHTLY, "word " * 500)

    assert len(found()[f"job:{NIGHTLY}"].sentence) < 400


# Channels


def down(cause: Cause, times: int = channels.BREAKER_AFTER) -> None:
    channels.named("email")
    channels.note("email", [ProviderError("Resend answered 500.", cause=cause)] * times)


def now_found() -> list[Finding]:
    return list(watch_channels(Moment(datetime.now(UTC))))


@pytest.mark.parametrize(
    "cause", [Cause.UNAVAILABLE, Cause.CREDENTIALS, Cause.DAILY_QUOTA, Cause.MONTHLY_QUOTA]
)
def test_finds_a_channel_that_is_down_and_says_why(cause: Cause) -> None:
    down(cause)

    [finding] = now_found()
    assert finding.cause == "channel_down:email"
    assert "The e-mail channel is closed until" in finding.sentence


def test_a_provider_that_asks_for_a_moment_is_not_down() -> None:
    down(Cause.RATE_LIMIT)

    assert now_found() == []


def test_a_few_failures_are_not_down() -> None:
    down(Cause.UNAVAILABLE, times=2)

    assert now_found() == []


def test_a_channel_that_answers_again_is_up() -> None:
    down(Cause.UNAVAILABLE)
    channels.note("email", [None])

    assert now_found() == []


def test_a_channel_that_staff_paused_is_as_they_want_it() -> None:
    down(Cause.UNAVAILABLE)
    channels.pause("email", by="mia")

    assert now_found() == []


def test_a_probe_that_waits_is_still_down() -> None:
    down(Cause.UNAVAILABLE)
    Channel.objects.update(held_until=datetime.now(UTC) - timedelta(seconds=1))

    assert len(now_found()) == 1


# At the end of runs


def start(**fields: Any) -> Start:
    return Start(trigger="cron", actor="cron", business_on=date(2026, 7, 14), **fields)


@pytest.fixture
def in_time() -> None:
    """Let no job be late by the wall's clock either."""
    now = datetime.now(UTC)
    JobRun.objects.update(started_at=now, finished_at=now, business_on=now.date())


def open_alerts() -> list[str]:
    return sorted(Alert.objects.open().values_list("cause", flat=True))


def test_a_failed_run_opens_its_alert_at_once(in_time: None) -> None:
    def break_down() -> dict[str, Any]:
        raise ValueError("The price is gone.")

    with pytest.raises(ValueError, match="price"):
        run_job(NIGHTLY, start(), break_down)

    assert open_alerts() == [f"job:{NIGHTLY}"]


def test_a_dry_run_that_fails_opens_none(in_time: None) -> None:
    def break_down() -> dict[str, Any]:
        raise ValueError("The price is gone.")

    with pytest.raises(ValueError, match="price"):
        run_job(NIGHTLY, start(dry_run=True), break_down)

    assert open_alerts() == []


def test_the_watching_run_closes_what_is_over(in_time: None) -> None:
    Alert.objects.create(cause="pool", opened_at=NOON, last_seen_at=NOON)

    run_job(NIGHTLY, start(), dict)
    after_another_job = open_alerts()
    run_job(WATCH_JOB, start(), dict)

    assert (after_another_job, open_alerts()) == (["pool"], [])
