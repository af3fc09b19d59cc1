"""Runs of jobs: one open run of an exclusive one, a lease kept alive, an end always written."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs import services
from jobs.models import JobRun
from jobs.services import AlreadyRunning, Start, mark_lost, run_job

pytestmark = pytest.mark.django_db(transaction=True)

START = Start(trigger="hand", actor="amelia", business_on=date(2026, 11, 21))
EXCLUSIVE, SHARED = "check_invite_stats", "retry_invites"


def nothing() -> dict[str, Any]:
    return {"ok": True}


def open_run(job: str = EXCLUSIVE, **fields: Any) -> JobRun:
    return JobRun.objects.create(
        **{
            "job": job,
            "exclusive": True,
            "trigger": "cron",
            "business_on": date(2026, 11, 21),
            "lease_ends_at": Now() + timedelta(seconds=60),
            **fields,
        }
    )


def test_writes_down_who_started_it_and_what_came_of_it() -> None:
    run = run_job(SHARED, START, nothing)

    run.refresh_from_db()
    assert (run.status, run.trigger, run.actor) == ("succeeded", "hand", "amelia")
    assert run.result == {"ok": True}
    assert run.business_on == date(2026, 11, 21)
    assert run.duration is not None


def test_writes_down_the_error_and_raises_it_again() -> None:
    def break_down() -> dict[str, Any]:
        raise ValueError("the third row has no price")

    with pytest.raises(ValueError, match="third row"):
        run_job(SHARED, START, break_down)

    run = JobRun.objects.get()
    assert (run.status, run.error) == ("failed", "the third row has no price")


def test_writes_no_secret_into_the_error(settings: Any) -> None:
    settings.RESEND_API_KEY = "re_very_secret"

    def break_down() -> dict[str, Any]:
        raise ValueError("re_very_secret was refused")

    with pytest.raises(ValueError, match="refused"):
        run_job(SHARED, START, break_down)

    assert "re_very_secret" not in JobRun.objects.get().error


def test_refuses_a_second_run_of_an_exclusive_job() -> None:
    other = open_run()

    with pytest.raises(AlreadyRunning, match=rf"running already \(run {other.pk}\)"):
        run_job(EXCLUSIVE, START, nothing)

    assert JobRun.objects.count() == 1


def test_runs_a_shared_job_any_number_of_times_side_by_side() -> None:
    open_run(SHARED, exclusive=False)

    run = run_job(SHARED, START, nothing)

    assert run.status == JobRun.Status.SUCCEEDED


def test_of_many_at_once_one_runs_an_exclusive_job() -> None:
    begun, refused = [], []
    at_once = threading.Barrier(8)
    all_asked = threading.Semaphore(0)

    def work() -> dict[str, Any]:
        begun.append(1)
        for _ in range(7):
            assert all_asked.acquire(timeout=30)
        return {}

    def ask() -> None:
        at_once.wait()
        try:
            run_job(EXCLUSIVE, START, work)
        except AlreadyRunning:
            refused.append(1)
            all_asked.release()
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(begun), len(refused)) == (1, 7)


def test_a_run_whose_process_is_gone_is_lost_and_another_may_begin() -> None:
    dead = open_run(lease_ends_at=Now() - timedelta(seconds=1))

    run = run_job(EXCLUSIVE, START, nothing)

    dead.refresh_from_db()
    assert (dead.status, run.status) == ("lost", "succeeded")
    assert "killed" in dead.error


def test_a_living_run_is_not_lost() -> None:
    open_run()

    assert mark_lost(EXCLUSIVE) == 0


def test_keeps_its_lease_alive_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "HEARTBEAT_SECONDS", 0.02)
    prolonged = threading.Event()

    def work() -> dict[str, Any]:
        JobRun.objects.update(lease_ends_at=Now() + timedelta(seconds=1))
        for _ in range(500):
            alive = JobRun.objects.filter(lease_ends_at__gt=Now() + timedelta(seconds=30))
            if alive.exists():
                prolonged.set()
                break
            threading.Event().wait(0.01)
        return {}

    run_job(EXCLUSIVE, START, work)

    assert prolonged.is_set()


def test_a_run_that_was_taken_for_lost_stays_lost() -> None:
    def work() -> dict[str, Any]:
        JobRun.objects.update(lease_ends_at=F("lease_ends_at") - timedelta(hours=1))
        mark_lost(EXCLUSIVE)
        return {}

    run = run_job(EXCLUSIVE, START, work)

    assert run.status == JobRun.Status.LOST


def test_the_database_refuses_two_open_runs_of_an_exclusive_job() -> None:
    open_run()

    with pytest.raises(IntegrityError, match="one_open_run"), transaction.atomic():
        open_run()
