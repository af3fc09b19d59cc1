"""The monitor: what the counts mean, and GitHub's issues kept from a machine without a database."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from egac.moment import Moment
from invites.models import Invite
from invites.monitor import watch_invites
from jobs.models import Alert, JobRun
from jobs.services import Start, run_job
from tests.end_to_end.processes import ROOT
from tests.invites.factories import InviteFactory
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a-secret-of-the-tests"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installed_just_now(transactional_db: None) -> None:
    """Let no job be late, however long the tests have run."""
    MigrationRecorder.Migration.objects.update(applied=timezone.now())


def failed_invites(count: int) -> None:
    for _ in range(count):
        InviteFactory(status=Invite.Status.FAILED, reason="permanent")


def check(*arguments: str) -> int:
    """Run the monitor; return its exit status."""
    try:
        call_command("check_invite_stats", *arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def open_alerts() -> dict[str, str]:
    return dict(Alert.objects.open().values_list("cause", "sentence"))


# With a database


def test_failed_invites_open_an_alert_and_fail_no_job() -> None:
    failed_invites(3)

    status = check()

    assert status == 1
    assert open_alerts() == {"failed_invites": "3 invites have failed."}
    assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED


def test_the_alert_closes_when_the_invites_are_mended() -> None:
    failed_invites(1)
    check()
    Invite.objects.update(status=Invite.Status.CANCELLED)

    status = check()

    assert (status, open_alerts()) == (0, {})


def test_a_site_that_cannot_be_asked_makes_the_monitor_blind_and_nothing_healthy() -> None:
    failed_invites(2)
    check()

    status = check("--url", "http://127.0.0.1:9")

    assert status == 5
    assert open_alerts() == {
        "failed_invites": "2 invites have failed.",
        "monitor_blind": "The monitor is blind: it failed 1 time. http://127.0.0.1:9 is "
        "unreachable: 127.0.0.1:9 could not be reached.",
    }


def test_a_monitor_that_sees_again_is_blind_no_more() -> None:
    check("--url", "http://127.0.0.1:9")

    check()

    assert open_alerts() == {}


def test_a_run_without_counts_finds_nothing() -> None:
    run_job("check_invite_stats", Start("hand", "mia", date(2026, 11, 24)), dict)

    assert list(watch_invites(Moment(NOW))) == []


# Without one, as in a workflow


@pytest.fixture
def outside(alarms: ProviderServer, settings: Settings, live_server: LiveServer) -> str:
    """A machine without a database, that watches this site; return the site's address."""
    settings.HAS_DATABASE = False
    return live_server.url


def test_opens_the_issue_and_says_which_site_it_is(
    alarms: ProviderServer, outside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failed_invites(3)

    status = check("--url", outside)

    [issue] = alarms.github.issues
    assert status == 1
    assert (issue.title, issue.labels) == ("3 invites have failed.", ["monitoring"])
    assert f"Site: {outside}" in issue.body
    assert 'Invite counts: {"pending": 0, "failed": 3' in capsys.readouterr().out


def test_keeps_no_run_and_no_alert(alarms: ProviderServer, outside: str) -> None:
    failed_invites(1)

    check("--url", outside)

    assert (JobRun.objects.count(), Alert.objects.count()) == (0, 0)


def test_a_day_of_failures_is_one_issue_that_closes(alarms: ProviderServer, outside: str) -> None:
    failed_invites(3)
    for _ in range(5):
        check("--url", outside)
    comments = len(alarms.github.issues[0].comments)
    Invite.objects.all().delete()

    status = check("--url", outside)

    [issue] = alarms.github.issues
    assert (comments, status, issue.state) == (0, 0, "closed")
    assert issue.comments[0].body.startswith(f"It is over: none has failed at {outside}.")


def test_the_site_and_the_workflow_share_one_issue(
    alarms: ProviderServer, outside: str, settings: Settings
) -> None:
    failed_invites(3)
    check("--url", outside)
    settings.HAS_DATABASE = True

    check()

    [issue] = alarms.github.issues
    assert issue.comments == []
    assert "closed_at" not in Alert.objects.get().told["GitHub"]


def test_the_workflow_may_close_what_the_site_has_opened(
    alarms: ProviderServer, outside: str, settings: Settings
) -> None:
    failed_invites(3)
    settings.HAS_DATABASE = True
    check()
    Invite.objects.all().delete()
    settings.HAS_DATABASE = False
    check("--url", outside)
    settings.HAS_DATABASE = True

    check()

    [issue] = alarms.github.issues
    assert (issue.state, len(issue.comments), open_alerts()) == ("closed", 1, {})


def test_an_unreachable_site_opens_an_issue_and_closes_none(
    alarms: ProviderServer, outside: str
) -> None:
    failed_invites(1)
    check("--url", outside)

    status = check("--url", "http://127.0.0.1:9")
    check("--url", "http://127.0.0.1:9")

    assert status == 5
    assert [(issue.title[:20], issue.state) for issue in alarms.github.issues] == [
        ("1 invite has failed.", "open"),
        ("The monitor is blind", "open"),
    ]


def test_a_site_that_answers_again_closes_the_issue_of_blindness(
    alarms: ProviderServer, outside: str
) -> None:
    check("--url", "http://127.0.0.1:9")

    status = check("--url", outside)

    assert status == 0
    assert [issue.state for issue in alarms.github.issues] == ["closed"]


def test_without_a_token_of_github_it_only_looks(
    alarms: ProviderServer, outside: str, settings: Settings
) -> None:
    settings.GITHUB_TOKEN = ""
    failed_invites(1)

    status = check("--url", outside)

    assert (status, alarms.github.calls) == (1, [])


def test_an_issue_that_cannot_be_kept_is_no_quiet_success(
    alarms: ProviderServer, outside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alarms.github.has_issues = False

    status = check("--url", outside)

    assert status == 1
    assert "issues are turned off" in capsys.readouterr().err


def test_a_machine_without_a_database_runs_the_monitor_and_nothing_else_is_needed(
    alarms: ProviderServer, live_server: LiveServer
) -> None:
    failed_invites(2)
    told = {
        "DATABASE_URL": "none",
        "DEBUG": "0",
        "CRON_SECRET": SECRET,
        "PAGES_SITE_URL": live_server.url,
        "GITHUB_TOKEN": "ghp_for_tests",
        "GITHUB_REPOSITORY": "club/ops",
        "GITHUB_API_URL": alarms.url,
    }

    ended = subprocess.run(
        [sys.executable, "manage.py", "check_invite_stats"],
        cwd=ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{live_server.url}: 2 failed" in ended.stdout
    assert [issue.title for issue in alarms.github.issues] == ["2 invites have failed."]
