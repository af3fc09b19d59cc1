"""Everything of the queue through pgbouncer in transaction mode, which keeps no session."""

import signal
import threading
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from invites.models import Invite
from notifications import worker
from notifications.models import Notification, Worker
from notifications.worker import Loop
from tests.end_to_end.cluster import DATABASE, PORT, Cluster
from tests.end_to_end.pooler import running_pooler
from tests.end_to_end.processes import environment, hurried, running
from tests.invites.factories import make_invites
from tests.notifications.loads import (
    EVERY_KIND,
    SINGLE,
    all_have_ended,
    assert_nothing_is_lost_or_doubled,
)
from tests.providers.client import eventually
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.ci_only

LIST = "/admin/notifications/notification/"


@pytest.fixture(autouse=True)
def pooled(cluster: Cluster) -> Iterator[None]:
    """Let the ORM of this process, and what it tells its children, go through the pooler."""
    with running_pooler(cluster) as port, pytest.MonkeyPatch.context() as changed:
        connection.close()
        changed.setitem(connection.settings_dict, "PORT", str(port))
        yield
        connection.close()


def direct_url(cluster: Cluster) -> str:
    """Return the address of the database itself, as an operator writes it."""
    return f"postgres://postgres@/{DATABASE}?host={cluster.folder}&port={PORT}"


def queue_all() -> None:
    for kind in EVERY_KIND:
        kind.queue(20)


def test_a_pass_sends_every_kind_once(provider: ProviderServer) -> None:
    queue_all()

    call_command("run_worker_queue", stdout=StringIO())

    assert all_have_ended()
    assert_nothing_is_lost_or_doubled(provider)


def test_invites_are_sent(provider: ProviderServer) -> None:
    make_invites(20)

    call_command("retry_invites", stdout=StringIO())

    assert Invite.objects.filter(status="sent").count() == 20


def test_two_loops_that_poll_send_every_kind_once(provider: ProviderServer) -> None:
    env = environment(provider, DATABASE_DIRECT_URL="")
    with (
        running(*hurried("run_worker_queue", "--loop"), env=env) as first,
        running(*hurried("run_worker_queue", "--loop"), env=env) as second,
    ):
        assert eventually(lambda: Worker.objects.count() == 2, seconds=60)
        queue_all()
        assert eventually(all_have_ended, seconds=60)
        for process in (first, second):
            process.signal(signal.SIGTERM)
            _out, err = process.wait()
            assert "broke" not in err

    assert_nothing_is_lost_or_doubled(provider)


def test_a_loop_is_woken_past_the_pooler(
    cluster: Cluster, provider: ProviderServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_DIRECT_URL = direct_url(cluster)
    monkeypatch.setattr(worker, "POLL_SECONDS", 600)
    loop = Loop(concurrency=2)
    thread = threading.Thread(target=run_and_hang_up, args=(loop,))
    thread.start()
    try:
        assert eventually(listens, seconds=15)
        SINGLE.queue(1)
        assert eventually(all_have_ended, seconds=15)
    finally:
        loop.end()
        thread.join(30)

    assert_nothing_is_lost_or_doubled(provider)


def run_and_hang_up(loop: Loop) -> None:
    try:
        loop.run()
    finally:
        connection.close()


def listens() -> bool:
    """Say whether the first pass has come to rest and somebody listens."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
        return bool(cursor.fetchone()[0]) and Worker.objects.exists()


def test_staff_see_the_queue_and_act_on_it() -> None:
    queue_all()
    browser = login("Operators")
    row = Notification.objects.first()
    assert row

    page = browser.get(LIST)
    asked = browser.post(f"{LIST}cancel/", {"_selected_action": [row.pk]})
    seen = asked.context["seen"]
    browser.post(f"{LIST}cancel/", {"seen": seen, "back": "", "reason": "Asked to."})

    assert page.status_code == 200
    row.refresh_from_db()
    assert row.status == Notification.Status.CANCELLED
