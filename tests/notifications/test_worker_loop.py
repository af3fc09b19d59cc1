"""The worker that never ends, in threads of the test; killed processes are tested end to end."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from notifications import worker
from notifications.models import Notification, Worker
from notifications.worker import Loop
from tests.end_to_end.processes import database_url
from tests.notifications.factories import email, queue, queue_emails, queue_whatsapps, whatsapp
from tests.providers.faults import Fault, always
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that runs in a thread and has come to its first rest."""
    running = Loop(concurrency=4)
    thread = threading.Thread(target=run_and_hang_up, args=(running,))
    thread.start()
    wait_for(lambda: Worker.objects.filter(kind="loop").exists())
    yield running
    running.end()
    thread.join(timeout=30)
    assert not thread.is_alive()


def run_and_hang_up(running: Loop) -> None:
    try:
        running.run()
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def is_completed(row: Notification) -> bool:
    return Notification.objects.filter(pk=row.pk, status=Status.COMPLETED).exists()


def test_is_woken_by_the_database(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 600)
    request.getfixturevalue("loop")
    time.sleep(0.5)  # let the first pass come to rest, so that only NOTIFY can wake it

    row = queue(email())

    wait_for(lambda: is_completed(row))


def test_polls_where_no_notify_comes_through(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(Loop, "_wake", lambda self: None)
    request.getfixturevalue("loop")

    row = queue(email())

    wait_for(lambda: is_completed(row))


def test_a_whatsapp_that_is_down_never_delays_an_email(
    provider: ProviderServer, settings: Settings, loop: Loop
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 30
    provider.whatsapp.faults = always(Fault.hang(60))
    queue(whatsapp())

    row = queue(email())

    wait_for(lambda: is_completed(row), seconds=10)
    provider.reset()


def test_as_many_calls_are_open_as_it_was_told(
    provider: ProviderServer, settings: Settings, request: pytest.FixtureRequest
) -> None:
    settings.WORKER_CONCURRENCY = 1
    queue_whatsapps(6)
    gate = provider.whatsapp.gate = Gate.before_accepting()

    request.getfixturevalue("loop")

    gate.wait_for_arrival(4)
    assert len(provider.whatsapp.calls) == 4
    gate.let_go()


def test_finishes_what_is_in_flight_and_claims_no_more(
    provider: ProviderServer, request: pytest.FixtureRequest
) -> None:
    gate = provider.resend.gate = Gate.before_accepting()
    first = queue(email())
    running = request.getfixturevalue("loop")
    gate.wait_for_arrival()

    running.end()
    later = queue(email("later@families.example"))
    gate.let_go()

    wait_for(lambda: is_completed(first))
    later.refresh_from_db()
    assert later.status == Status.PENDING


def test_tells_that_it_lives_and_that_it_has_ended(
    provider: ProviderServer, request: pytest.FixtureRequest
) -> None:
    queue_emails(3)
    running = request.getfixturevalue("loop")
    wait_for(lambda: Notification.objects.filter(status=Status.COMPLETED).count() == 3)

    running.end()

    wait_for(lambda: Worker.objects.filter(stopped_at__isnull=False).exists())
    assert Worker.objects.get().recorded == 3


@pytest.mark.parametrize("has_a_pooler", [False, True])
def test_the_connection_that_listens_notices_a_peer_that_is_gone(
    settings: Settings, has_a_pooler: bool
) -> None:
    settings.DATABASE_DIRECT_URL = database_url() if has_a_pooler else ""

    with worker._listening() as listening:
        told = listening.info.get_parameters()

    assert (told["keepalives_idle"], told["keepalives_interval"]) == ("20", "10")
    assert told["connect_timeout"] == "10"
