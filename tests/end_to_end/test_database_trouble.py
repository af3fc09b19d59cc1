"""A running worker whose database goes away: nothing lost, nothing twice."""

import signal

import pytest
from django.db import connection

from tests.end_to_end.cluster import Cluster
from tests.end_to_end.processes import environment, hurried, running
from tests.notifications.loads import (
    EVERY_KIND,
    WHATSAPP,
    accepted,
    all_have_ended,
    assert_nothing_is_lost_or_doubled,
)
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.ci_only

LOOP = ("run_worker_queue", "--loop")
A_FEW = 20  # messages


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_postgresql_under_a_running_loop_loses_and_doubles_nothing(
    cluster: Cluster, provider: ProviderServer, mode: str
) -> None:
    for kind in EVERY_KIND:
        kind.queue(60)
    provider.resend.latency = provider.whatsapp.latency = 0.1
    env = environment(provider, WORKER_LEASE_SECONDS="2", WORKER_CONCURRENCY="4")

    with running(*hurried(*LOOP), env=env) as worker:
        assert eventually(lambda: accepted(provider).total() >= 60 + A_FEW, seconds=30)
        cluster.restart(mode)
        connection.close()
        assert not all_have_ended()
        assert eventually(all_have_ended, seconds=60)
        worker.signal(signal.SIGTERM)
        worker.wait()

    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])
