"""A canary in every secret setting: none is found in a log, an alert, a page or a stored result."""

import json
import re
from pathlib import Path

import pytest
import requests

from egac.logs import SECRET_SETTINGS
from jobs.models import Alert, JobRun
from tests.end_to_end.processes import Process, environment, running
from tests.end_to_end.test_secret_in_logs import GUNICORN, JOB_TOKEN, SECRET, serving
from tests.invites.factories import make_invites
from tests.providers.faults import Fault, Plan, always
from tests.providers.server import ProviderServer
from tests.staff import login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = re.compile(r"canary-\w+")
PAGES = ("jobs/scheduledjob/", "jobs/jobrun/", "jobs/alert/", "egac/channel/", "egac/messageaudit/")
METRICS = "canary-METRICS_TOKEN"


@pytest.fixture
def planted(provider: ProviderServer) -> dict[str, str]:
    """A canary for each secret setting, by the name of the setting."""
    canaries = {name: f"canary-{name}" for name in SECRET_SETTINGS}
    return {
        **canaries,
        "RESEND_API_KEY": f"re_{canaries['RESEND_API_KEY']}",
        "SLACK_WEBHOOK_URL": f"{provider.url}/services/{canaries['SLACK_WEBHOOK_URL']}",
        "HEALTHCHECK_PING_URL": f"{provider.url}/ping/{canaries['HEALTHCHECK_PING_URL']}",
        "JOB_TOKENS": json.dumps({"run_worker_queue": "canary-JOB_TOKENS"}),
        "GITHUB_REPOSITORY": "club/ops",
        "GITHUB_API_URL": provider.url,
        "OPSGENIE_API_URL": f"{provider.url}/opsgenie",
    }


@pytest.fixture
def repeating(provider: ProviderServer, planted: dict[str, str]) -> ProviderServer:
    """Providers that refuse everything, and repeat our secret while they do."""
    provider.resend.faults = _refusing("invalid_api_key", planted["RESEND_API_KEY"])
    provider.github.faults = _refusing("403", planted["GITHUB_TOKEN"])
    provider.slack.faults = _refusing("403", planted["SLACK_WEBHOOK_URL"])
    provider.opsgenie.faults = _refusing("403", planted["OPSGENIE_API_KEY"])
    provider.watcher.faults = _refusing("403", planted["HEALTHCHECK_PING_URL"])
    return provider


def _refusing(name: str, secret: str) -> Plan:
    return always(Fault.error(403, name, f"Refused: {secret}"))


def told_by(process: Process) -> str:
    """Return all that a process wrote, however it ended."""
    out, err = process.popen.communicate(timeout=60)
    return out + err


def run(*command: str, provider: ProviderServer, planted: dict[str, str]) -> str:
    env = environment(provider, **planted)
    with running("manage.py", *command, "--trigger", "cron", env=env) as process:
        return told_by(process)


def everything_shown() -> str:
    """Return the pages of lists, of every run and of every alert."""
    manager = login("Managers")
    paths = [
        *PAGES,
        *(f"jobs/jobrun/{run.pk}/change/" for run in JobRun.objects.all()),
        *(f"jobs/alert/{alert.pk}/change/" for alert in Alert.objects.all()),
    ]
    return "".join(manager.get(f"/admin/{path}").content.decode() for path in paths)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_20_no_canary_is_in_what_the_jobs_write_store_show_or_tell(
    repeating: ProviderServer, planted: dict[str, str], log_format: str
) -> None:
    make_invites(1)
    planted = {**planted, "LOG_FORMAT": log_format}

    told = run("retry_invites", provider=repeating, planted=planted)
    told += run(
        "check_invite_stats", "--url", "http://127.0.0.1:9", provider=repeating, planted=planted
    )
    bodies = [
        call.body.decode()
        for each in (repeating.github, repeating.slack, repeating.opsgenie)
        for call in each.calls
    ]

    assert "[redacted]" in told  # it was said, and hidden
    assert "was not told of" in told
    assert len(bodies) >= 3
    for where in (told, str(everything_stored()), everything_shown(), *bodies):
        assert CANARY.findall(where) == []


def test_20_no_canary_is_in_what_the_site_answers_and_logs(
    provider: ProviderServer, planted: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    for set_by_the_server in ("CRON_SECRET", "JOB_TOKENS"):
        del planted[set_by_the_server]
    right = {"Authorization": f"Bearer {METRICS}"}
    answers = []

    with serving(log, *GUNICORN, provider=provider, **planted) as (server, _process):
        for path in ("/healthz", "/readyz", "/metrics", f"/metrics?secret={SECRET}"):
            for headers in ({}, right):
                answers.append(requests.get(server + path, headers=headers, timeout=30))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 401, 200, 401, 200]
    for where in (log.read_text(), *(answer.text for answer in answers)):
        assert CANARY.findall(where) == []
        assert SECRET not in where
        assert JOB_TOKEN not in where
