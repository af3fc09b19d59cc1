"""The outside watcher hears of the run that watches over all others, and never delays it."""

from datetime import date
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.models import JobRun
from jobs.registry import WATCH_JOB
from jobs.services import Start, run_job
from tests.providers.faults import Fault, always
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

START = Start(trigger="cron", actor="cron", business_on=date(2026, 11, 24))


@pytest.fixture(autouse=True)
def watched(provider: ProviderServer, settings: Settings) -> None:
    settings.HEALTHCHECK_PING_URL = f"{provider.url}/ping/b7c0"


def break_down() -> dict[str, Any]:
    raise ValueError("It broke.")


def test_tells_of_the_start_and_the_end(provider: ProviderServer) -> None:
    run_job(WATCH_JOB, START, dict)

    assert provider.watcher.pings == ["start", ""]


def test_tells_of_a_failure(provider: ProviderServer) -> None:
    with pytest.raises(ValueError, match="broke"):
        run_job(WATCH_JOB, START, break_down)

    assert provider.watcher.pings == ["start", "fail"]


def test_no_other_job_pings(provider: ProviderServer) -> None:
    run_job("retry_invites", START, dict)

    assert provider.watcher.calls == []


def test_the_work_does_not_wait_for_the_first_ping(provider: ProviderServer) -> None:
    gate = provider.watcher.gate = Gate.before_accepting()
    worked = []

    def work() -> dict[str, Any]:
        gate.wait_for_arrival()
        worked.append(list(provider.watcher.pings))
        gate.let_go()
        return {}

    run_job(WATCH_JOB, START, work)

    assert worked == [[]]
    assert provider.watcher.pings == ["start", ""]


def test_a_watcher_that_is_away_breaks_no_run(provider: ProviderServer) -> None:
    provider.watcher.faults = always(Fault.reset_before_accepting())

    run = run_job(WATCH_JOB, START, dict)

    assert run.status == JobRun.Status.SUCCEEDED
