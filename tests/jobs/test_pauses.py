"""A paused job: no clock and no machine starts it, a person still may."""

import json
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from jobs.models import JobPause, JobRun
from jobs.services import Paused, Start, pause_job, resume_job, run_job

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "check_invite_stats"


def started_by(trigger: str) -> Start:
    return Start(trigger=trigger, actor="amelia", business_on=date(2026, 11, 21))


def nothing() -> dict[str, Any]:
    return {"ok": True}


@pytest.mark.parametrize("trigger", ["cron", "http"])
def test_refuses_a_clock_and_a_machine_and_says_who_paused_it(trigger: str) -> None:
    pause_job(JOB, by="amelia")

    with pytest.raises(Paused, match="check_invite_stats is paused by amelia; nothing was done"):
        run_job(JOB, started_by(trigger), nothing)

    assert not JobRun.objects.exists()


@pytest.mark.parametrize("trigger", ["hand", "admin"])
def test_a_person_may_run_it_all_the_same(trigger: str) -> None:
    pause_job(JOB, by="amelia")

    run = run_job(JOB, started_by(trigger), nothing)

    assert run.status == JobRun.Status.SUCCEEDED


def test_the_other_jobs_go_on() -> None:
    pause_job("retry_invites", by="amelia")

    run = run_job(JOB, started_by("cron"), nothing)

    assert run.status == JobRun.Status.SUCCEEDED


def test_runs_again_after_it_was_resumed() -> None:
    pause_job(JOB, by="amelia")
    resume_job(JOB)

    run = run_job(JOB, started_by("cron"), nothing)

    assert run.status == JobRun.Status.SUCCEEDED


def test_a_second_pause_and_a_second_resume_change_nothing() -> None:
    paused = [pause_job(JOB, by="amelia"), pause_job(JOB, by="ben")]
    paused_by = JobPause.objects.get().paused_by
    resumed = [resume_job(JOB), resume_job(JOB)]

    assert (paused, paused_by, resumed) == ([True, False], "amelia", [True, False])


def test_a_resumed_job_can_be_paused_again() -> None:
    pause_job(JOB, by="amelia")
    resume_job(JOB)

    paused = pause_job(JOB, by="ben")

    assert paused
    assert JobPause.objects.open().get().paused_by == "ben"


def test_cron_meets_a_pause_as_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    pause_job(JOB, by="amelia")

    call_command(JOB, "--trigger", "cron")

    assert "paused by amelia" in capsys.readouterr().err


def test_an_older_caller_over_http_learns_of_the_pause(client: Client) -> None:
    pause_job("retry_invites", by="amelia")

    answer = client.get(
        "/api/admin/retry-invites.json", headers={"x-cron-secret": "a-secret-of-the-tests"}
    )

    told = json.loads(answer.content)
    assert answer.status_code == 200
    assert told == {"ok": True, "success": True, "skipped": "paused"}
