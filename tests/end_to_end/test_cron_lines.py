"""The lines of the crontab, run by a shell as cron runs them: a failure is never silence."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from invites.models import Invite
from jobs import crontab
from jobs.cronjobs import cron_jobs
from jobs.models import JobRun
from tests.end_to_end.processes import ROOT, SECONDS, environment
from tests.invites.factories import make_invites
from tests.jobs.documented import plain_lines
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def logs(tmp_path: Path, settings: Settings) -> Path:
    """The folder of the logs, which the lines name."""
    settings.CRON_LOG_DIR = str(tmp_path)
    settings.CRONJOBS = cron_jobs()
    return tmp_path


def run_line_of(job: str, provider: ProviderServer, logs: Path, **changes: str) -> int:
    """Run the job's line from another folder, as cron does, and return its exit status."""
    line = next(line for line in crontab.with_our_lines("").split("\n") if f"/{job}.log" in line)
    command = line.split(" ", 5)[5].replace(r"\%", "%")
    env = environment(provider, CRON_LOG_DIR=str(logs), **changes)
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env=env, timeout=SECONDS, check=False
    ).returncode


def test_a_line_does_its_job_and_leaves_a_run_of_cron(provider: ProviderServer, logs: Path) -> None:
    make_invites(2)

    status = run_line_of("retry_invites", provider, logs)

    run = JobRun.objects.get()
    assert status == 0
    assert (run.job, run.trigger, run.status) == ("retry_invites", "cron", "succeeded")
    assert len(provider.resend.accepted) == 2
    assert "Invites: 2 sent." in (logs / "retry_invites.log").read_text()


def test_a_plain_line_of_the_documents_does_the_same(provider: ProviderServer) -> None:
    make_invites(1)
    _schedule, command = plain_lines()["retry_invites"]
    here = command.replace("/srv/egac", shlex.quote(str(ROOT)))

    subprocess.run(
        ["/bin/sh", "-c", here.replace(".venv/bin/python", shlex.quote(sys.executable))],
        cwd="/",
        env=environment(provider),
        timeout=SECONDS,
        check=True,
    )

    run = JobRun.objects.get()
    assert (run.trigger, run.status) == ("cron", "succeeded")
    assert len(provider.resend.accepted) == 1


def test_missing_settings_are_a_failed_run_and_an_exit_status(
    provider: ProviderServer, logs: Path
) -> None:
    make_invites(1)

    status = run_line_of("retry_invites", provider, logs, RESEND_API_KEY="")

    run = JobRun.objects.get()
    assert status == 2
    assert (run.trigger, run.status) == ("cron", "failed")
    assert "RESEND_API_KEY" in run.error
    assert run.error in (logs / "retry_invites.log").read_text()


def test_a_finding_is_an_exit_status_and_no_failed_run(
    provider: ProviderServer, logs: Path
) -> None:
    make_invites(1, status=Invite.Status.FAILED, reason="permanent")

    status = run_line_of("check_invite_stats", provider, logs)

    assert status == 1
    assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED


def test_a_line_that_the_registry_knows_no_more_fails_and_says_what_to_do(
    provider: ProviderServer, logs: Path, settings: Settings
) -> None:
    settings.CRONJOBS = [("1 * * * *", *line[1:]) for line in cron_jobs()]

    status = run_line_of("retry_invites", provider, logs)

    assert status == 1
    assert "No job with hash" in (logs / "retry_invites.log").read_text()
    assert not JobRun.objects.exists()
