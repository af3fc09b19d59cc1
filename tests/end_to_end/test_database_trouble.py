"""A running worker whose database goes away: nothing lost, nothing twice."""

import signal

import pytest
from django.db import connection

from notifications.models import Notification
from tests.end_to_end.cluster import Cluster
from tests.end_to_end.processes import environment, hurried, running
from tests.notifications.loads import (
    EVERY_KIND,
    accepted,
    all_have_ended,
    assert_nothing_is_lost_or_doubled,
)
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.ci_only

LOOP = ("run_worker_queue", "--loop")
PASS = ("run_worker_queue", "--limit", "1000")
A_FEW = 20  # messages


def queue_all(provider: ProviderServer) -> None:
    for kind in EVERY_KIND:
        kind.queue(60)
    provider.resend.latency = provider.whatsapp.latency = 0.1


def restart_under_calls(cluster: Cluster, provider: ProviderServer, mode: str) -> None:
    """Restart PostgreSQL when the batch and some of the others were taken."""
    assert eventually(lambda: accepted(provider).total() >= 60 + A_FEW, seconds=30)
    cluster.restart(mode)
    connection.close()
    assert not all_have_ended()


def assert_each_call_is_recorded(provider: ProviderServer) -> None:
    """Of each call the process held the answer, so no row is in doubt and none was tried twice."""
    assert_nothing_is_lost_or_doubled(provider)
    assert not Notification.objects.exclude(attempts=1).exists()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_postgresql_under_a_running_loop_loses_no_answer(
    cluster: Cluster, provider: ProviderServer, mode: str
) -> None:
    queue_all(provider)

    with running(*hurried(*LOOP), env=environment(provider, WORKER_CONCURRENCY="4")) as worker:
        restart_under_calls(cluster, provider, mode)
        assert eventually(all_have_ended, seconds=60)
        worker.signal(signal.SIGTERM)
        worker.wait()

    assert_each_call_is_recorded(provider)


@pytest.mark.parametrize("command", [hurried(*LOOP), ("manage.py", *PASS)], ids=["loop", "pass"])
def test_a_stop_while_postgresql_is_away_loses_no_answer(
    cluster: Cluster, provider: ProviderServer, command: tuple[str, ...]
) -> None:
    queue_all(provider)

    with running(*command, env=environment(provider, WORKER_CONCURRENCY="4")) as worker:
        assert eventually(lambda: accepted(provider).total() >= 60 + A_FEW, seconds=30)
        cluster.stop("fast")
        worker.signal(signal.SIGTERM)
        cluster.start()
        connection.close()
        worker.wait()

    assert not Notification.objects.filter(status="processing").exists()
    untouched = Notification.objects.filter(status="pending", attempts=0)
    told = Notification.objects.filter(status="completed", attempts=1)
    assert untouched.count() + told.count() == 60 * len(EVERY_KIND)
    assert told.count() == accepted(provider).total()


def test_a_restart_of_postgresql_under_a_pass_loses_no_answer(
    cluster: Cluster, provider: ProviderServer
) -> None:
    queue_all(provider)

    with running("manage.py", *PASS, env=environment(provider, WORKER_CONCURRENCY="4")) as worker:
        restart_under_calls(cluster, provider, "fast")
        worker.wait()

    assert all_have_ended()
    assert_each_call_is_recorded(provider)
