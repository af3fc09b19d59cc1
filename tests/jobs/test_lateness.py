"""A job is late while it has not succeeded within its time; lateness ends by itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder

from jobs.lateness import JobState, job_states, late_jobs
from jobs.models import JobPause, JobRun
from jobs.registry import JOBS
from notifications.models import Worker
from tests.jobs.runs import ran

pytestmark = pytest.mark.django_db

# 01:00 UTC is its time, two hours its patience; in London it is summer.
NIGHTLY = "generate_t5_invoices"
TONIGHT = datetime(2026, 7, 14, 1, 0, tzinfo=UTC)
TODAY = date(2026, 7, 14)
IN_TIME, OVERDUE = TONIGHT + timedelta(hours=1, minutes=59), TONIGHT + timedelta(hours=2)
LONG_AGO = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installed_long_ago() -> None:
    MigrationRecorder.Migration.objects.update(applied=LONG_AGO)


def state(now: datetime, job: str = NIGHTLY) -> JobState:
    return next(state for state in job_states(now) if state.job.name == job)


def test_is_late_once_its_time_is_overdue() -> None:
    ran(TONIGHT - timedelta(days=1))

    assert not state(IN_TIME).is_late
    assert state(OVERDUE).late_since == TONIGHT


def test_stops_being_late_with_its_next_success() -> None:
    ran(TONIGHT - timedelta(days=1))
    assert state(OVERDUE).is_late

    ran(OVERDUE + timedelta(hours=7))

    assert not state(OVERDUE + timedelta(hours=8)).is_late


@pytest.mark.parametrize(
    "fields",
    [
        {"status": JobRun.Status.FAILED},
        {"status": JobRun.Status.LOST},
        {"status": JobRun.Status.RUNNING, "finished_at": None},
        {"dry_run": True},
        {"business_on": TODAY - timedelta(days=3)},
    ],
    ids=["failed", "lost", "running still", "dry", "for a day gone by"],
)
def test_only_a_real_success_for_its_own_day_counts(fields: dict[str, Any]) -> None:
    ran(TONIGHT - timedelta(days=1))

    run = ran(TONIGHT, **fields)

    assert state(OVERDUE).late_since == TONIGHT
    assert state(OVERDUE).last_run == run


def test_a_run_of_a_clock_that_is_a_little_fast_counts() -> None:
    ran(TONIGHT - timedelta(seconds=40))

    assert not state(OVERDUE).is_late


def test_a_run_before_its_time_does_not_count() -> None:
    ran(TONIGHT - timedelta(minutes=2))

    assert state(OVERDUE).is_late


def test_a_finding_is_no_lateness() -> None:
    now = TONIGHT + timedelta(hours=3)
    ran(now, "check_invite_stats", result={"counts": {"failed": 3}})

    assert not state(now + timedelta(minutes=30), "check_invite_stats").is_late


def test_a_new_installation_waits_for_the_first_time_of_each_job() -> None:
    MigrationRecorder.Migration.objects.update(applied=TONIGHT + timedelta(minutes=1))

    assert late_jobs(TONIGHT + timedelta(minutes=13)) == []
    soon = [each.job.name for each in late_jobs(TONIGHT + timedelta(minutes=14))]
    assert soon == ["run_worker_queue"]
    assert len(late_jobs(TONIGHT + timedelta(days=1, hours=8))) == len(JOBS)


def test_a_loop_that_lives_does_the_job_of_the_worker() -> None:
    now = TONIGHT + timedelta(hours=3)
    Worker.objects.create(name="here:1", kind=Worker.Kind.LOOP, seen_at=now)

    assert not state(now, "run_worker_queue").is_late
    assert state(now + timedelta(minutes=13), "run_worker_queue").is_late


def test_nobody_waits_for_a_paused_job() -> None:
    JobPause.objects.create(job=NIGHTLY, paused_by="amelia")

    paused = state(OVERDUE)

    assert paused.is_paused
    assert not paused.is_late


def test_what_a_pause_let_pass_is_not_missed() -> None:
    ran(TONIGHT - timedelta(days=3))
    resumed_at = TONIGHT + timedelta(hours=9)
    JobPause.objects.create(job=NIGHTLY, paused_by="amelia", resumed_at=resumed_at)

    assert not state(resumed_at).is_late
    assert not state(IN_TIME + timedelta(days=1)).is_late
    assert state(OVERDUE + timedelta(days=1)).late_since == TONIGHT + timedelta(days=1)


def test_tells_the_next_run_and_the_lateness_in_words() -> None:
    ran(TONIGHT - timedelta(days=1))

    late = state(OVERDUE)

    assert late.next_run_at == TONIGHT + timedelta(days=1)
    assert late.lateness_in_words == (
        "Bill yesterday's classes is late: generate_t5_invoices was due on Tuesday 14 July 2026 at "
        "02:00 BST; it last succeeded on Monday 13 July 2026 at 02:00 BST."
    )


def test_asks_the_database_no_more_the_more_runs_there_are(
    django_assert_num_queries: Any,
) -> None:
    for minutes in range(50):
        ran(TONIGHT - timedelta(minutes=minutes))

    with django_assert_num_queries(5):
        job_states(OVERDUE)
