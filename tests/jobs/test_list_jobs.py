"""`manage.py list_jobs`: the schedule in words, what ran last and comes next, and what is late."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from jobs.models import JobPause, JobRun
from jobs.registry import JOBS
from tests.jobs.runs import ran

pytestmark = pytest.mark.django_db

JUST_NOW = timedelta(seconds=1)


def listed(*options: str) -> tuple[str, int]:
    """Return what the command prints, and its exit status."""
    out, status = StringIO(), 0
    try:
        call_command("list_jobs", *options, stdout=out)
    except SystemExit as ended:
        status = int(str(ended.code))
    return out.getvalue(), status


def all_ran(*but: str) -> None:
    """Let every job succeed just now, but for some that never did since the installation."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - timedelta(days=3))
    for job in JOBS:
        if job not in but:
            ran(timezone.now() - JUST_NOW, job, finished_at=timezone.now())


def test_lists_every_job_with_its_schedule_in_words() -> None:
    all_ran()

    text, status = listed()

    assert status == 0
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert set(JOBS) <= set(lines)
    assert "every 15 minutes" in lines["retry_invites"]
    assert "every day at 01:00 UTC" in lines["generate_t5_invoices"]
    assert "succeeded" in lines["generate_t5_invoices"]
    assert text.endswith("No job is late.\n")


def test_a_late_job_is_an_exit_status_and_a_sentence() -> None:
    all_ran("prune_history")

    text, status = listed()

    assert status == 1
    assert [line.split()[0] for line in text.splitlines() if "LATE" in line] == ["prune_history"]
    assert "Remove old history is late" in text
    assert "never succeeded" in text


def test_a_paused_job_is_not_late() -> None:
    all_ran("prune_history")
    JobPause.objects.create(job="prune_history", paused_by="amelia")

    text, status = listed()

    assert status == 0
    assert "never" in text
    assert "when resumed" in text


def test_prints_one_object_for_machines() -> None:
    all_ran("prune_history")

    text, status = listed("--json")

    told = json.loads(text)
    by_name = {each["job"]: each for each in told["jobs"]}
    run = JobRun.objects.get(job="retry_invites")
    assert (told["ok"], status) == (False, 1)
    assert list(by_name) == list(JOBS)
    assert by_name["prune_history"]["late"]
    assert by_name["prune_history"]["last_run"] is None
    assert by_name["retry_invites"]["last_run"] == {
        "id": run.pk,
        "status": "succeeded",
        "trigger": "cron",
        "started_at": run.started_at.isoformat(),
    }
