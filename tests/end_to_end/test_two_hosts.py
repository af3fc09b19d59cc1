"""Workers on hosts of their own, over one database: side by side, and with a broken network."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from notifications.models import Worker
from tests.end_to_end.cluster import DATABASE, PORT, Cluster
from tests.end_to_end.hosts import NAMES, Host, Network, two_hosts
from tests.end_to_end.processes import environment, hurried, running
from tests.notifications.loads import (
    EVERY_KIND,
    WHATSAPP,
    accepted,
    all_have_ended,
    assert_nothing_is_lost_or_doubled,
    called,
)
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.ci_only

LOOP = ("run_worker_queue", "--loop")
EACH = 100  # messages of a kind
# A silent peer is noticed as by the settings, only sooner.
SOON = "connect_timeout=2&tcp_user_timeout=1000&keepalives_idle=1&keepalives_interval=1"


@pytest.fixture(scope="module")
def network(migrated_cluster: Cluster) -> Iterator[Network]:
    """Two hosts that reach the cluster over a network."""
    with two_hosts() as network:
        migrated_cluster.let_in(f"{network.prefix}.0/24")
        migrated_cluster.addresses = [network.database]
        migrated_cluster.restart("fast")
        yield network
    migrated_cluster.addresses = ()
    migrated_cluster.restart("fast")


@pytest.fixture
def provider(network: Network) -> Iterator[ProviderServer]:
    """The provider at an address that both hosts reach."""
    with ProviderServer(host=network.provider) as server:
        yield server


def on(host: Host, network: Network, provider: ProviderServer, folder: Path) -> dict[str, str]:
    """Return the environment of a worker on this host."""
    (folder / host.name).mkdir()
    url = f"postgres://postgres@{network.database}:{PORT}/{DATABASE}?{SOON}&keepalives_count=2"
    return environment(
        provider,
        DATABASE_URL=url,
        TMPDIR=str(folder / host.name),
        HOME=str(folder / host.name),
        WORKER_LEASE_SECONDS="3",
        WORKER_CONCURRENCY="4",
        NO_PROXY="*",
    )


def test_loops_on_two_hosts_send_nothing_twice(
    cluster: Cluster, network: Network, provider: ProviderServer, tmp_path: Path
) -> None:
    provider.resend.latency = provider.whatsapp.latency = 0.1

    with ExitStack() as stack:
        workers = []
        for host in network.hosts:
            env = on(host, network, provider, tmp_path)
            workers.append(stack.enter_context(running(*hurried(*LOOP), env=env, host=host)))
        assert eventually(lambda: hosts_with_a_worker() == set(NAMES), seconds=60)
        for kind in EVERY_KIND:
            kind.queue(EACH)
        assert eventually(all_have_ended, seconds=60)
        for worker in workers:
            worker.signal(signal.SIGTERM)
            worker.wait()

    assert hosts_with_a_worker(recorded__gt=0) == set(NAMES)
    assert_nothing_is_lost_or_doubled(provider)
    assert sorted(called(provider)) == sorted(accepted(provider))


def hosts_with_a_worker(**which: int) -> set[str]:
    workers = Worker.objects.filter(**which)
    return {name.partition(":")[0] for name in workers.values_list("name", flat=True)}


def test_a_half_open_connection_to_the_database_is_survived(
    cluster: Cluster, network: Network, provider: ProviderServer, tmp_path: Path
) -> None:
    for kind in EVERY_KIND:
        kind.queue(EACH)
    provider.resend.latency = provider.whatsapp.latency = 0.1
    host = network.hosts[0]
    log = tmp_path / "log"

    with (
        log.open("w") as output,
        running(
            *hurried(*LOOP), env=on(host, network, provider, tmp_path), output=output, host=host
        ) as worker,
    ):
        assert eventually(lambda: accepted(provider).total() >= EACH + 20, seconds=30)
        host.to_database.cut()
        assert eventually(lambda: "the pass broke" in log.read_text(), seconds=30)
        assert half_open_connections(host)
        assert not all_have_ended()
        host.to_database.mend()
        assert eventually(all_have_ended, seconds=60)
        worker.signal(signal.SIGTERM)
        worker.wait()

    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])


def half_open_connections(host: Host) -> int:
    """Return how many of the host's connections the server still takes for good."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s",
            [host.to_database.second],
        )
        return int(cursor.fetchone()[0])
