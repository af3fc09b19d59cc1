"""The servers that a person runs never print a secret: runserver, and gunicorn with its logs on."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from egac.tokens import Token, issue
from invites.models import Invite
from tests.end_to_end.processes import Process, environment, running
from tests.invites.factories import make_invites
from tests.providers.client import eventually
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "right-right-right-right"
WRONG = "wrong-wrong-wrong-wrong"
JOB_TOKEN = "token-of-the-worker-alone"
STATS = "/api/admin/invite-stats.json"
RETRY = "/api/admin/retry-invites.json"
WORKER = "/functions/v1/notification-worker"
RUNSERVER = ("manage.py", "runserver", "--noreload", "127.0.0.1:0")
GUNICORN = ("-m", "gunicorn", "egac.wsgi", "--bind", "127.0.0.1:0", "--access-logfile", "-")
OLDER_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
# Every field in which gunicorn could print the address, the referrer or the header.
EVERY_FIELD = (
    '%(r)s %(q)s %(U)s %(f)s %({raw_uri}e)s %({x-cron-secret}i)s %({authorization}i)s "%(a)s"'
)
PROCESS = re.compile(r"Booting worker with pid: (\d+)")
ISSUED = issue(Token("run_worker_queue", datetime(2100, 1, 1, tzinfo=UTC)))
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@contextmanager
def serving(
    log: Path, *arguments: str, provider: ProviderServer, **changes: str
) -> Iterator[tuple[str, Process]]:
    """Run a server whose outputs go to a file; yield its address when it listens."""
    home = str(log.parent)  # where gunicorn makes its control socket
    secrets = {"CRON_SECRET": SECRET, "JOB_TOKENS": json.dumps({"run_worker_queue": JOB_TOKEN})}
    given = {**secrets, "PYTHONUNBUFFERED": "1", "HOME": home, **changes}
    env = environment(provider, **given)
    with log.open("w") as output, running(*arguments, env=env, output=output) as process:
        assert eventually(lambda: bool(ADDRESS.search(log.read_text())), seconds=60), (
            log.read_text()
        )
        found = ADDRESS.search(log.read_text())
        assert found
        yield found[0], process


def socket_to(server: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])))


def ask_in_every_way(server: str) -> None:
    """Show the secret in each of its places, rightly and wrongly, also where it is not asked."""
    assert requests.get(f"{server}{STATS}?secret={SECRET}", timeout=30).status_code == 200
    for query in (f"secret={WRONG}", f"a=1&%73e%63ret={WRONG}", f"secret={WRONG}&secret={SECRET}x"):
        assert requests.get(f"{server}{STATS}?{query}", timeout=30).status_code == 401
    headers = {"X-Cron-Secret": SECRET, "Authorization": f"Bearer {SECRET}"}
    assert requests.head(f"{server}{STATS}", headers=headers, timeout=30).status_code == 200
    # What a browser asks for by itself after a person opened the address.
    referrer = {"Referer": f"{server}{STATS}?secret={SECRET}"}
    assert requests.get(f"{server}/favicon.ico", headers=referrer, timeout=30).status_code == 404
    assert requests.get(f"{server}/nowhere?secret={WRONG}", timeout=30).status_code == 404
    assert requests.post(f"{server}{STATS}?secret={SECRET}", timeout=30).status_code in (403, 405)
    for token in (SECRET, JOB_TOKEN, ISSUED):
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.post(f"{server}{WORKER}", headers=headers, timeout=30).status_code == 200


def assert_no_secret(log: Path, *, but: str) -> None:
    """Show that the log tells of the requests, and of no secret."""
    told = log.read_text()
    assert but in told
    for secret in (SECRET, WRONG, JOB_TOKEN, ISSUED):
        assert secret not in told


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_runserver_prints_no_secret(
    provider: ProviderServer, tmp_path: Path, log_format: str
) -> None:
    log = tmp_path / "log"

    with serving(log, *RUNSERVER, provider=provider, LOG_FORMAT=log_format) as (server, _process):
        ask_in_every_way(server)

    assert_no_secret(log, but=f"{STATS}?secret=[redacted]")


@pytest.mark.parametrize(
    ("log_format", "told"),
    [
        ((), f"GET {STATS}"),  # its own format; older versions print the query in it
        (("--access-logformat", OLDER_FORMAT), f'"GET {STATS}?secret=[redacted] HTTP/1.1" 200'),
        (("--access-logformat", EVERY_FIELD), f"{STATS}?secret=[redacted]"),
    ],
)
def test_gunicorn_prints_no_secret(
    provider: ProviderServer, tmp_path: Path, log_format: tuple[str, ...], told: str
) -> None:
    log = tmp_path / "log"

    with serving(log, *GUNICORN, *log_format, provider=provider) as (server, process):
        ask_in_every_way(server)
        process.signal(signal.SIGTERM)
        process.popen.wait(30)

    assert_no_secret(log, but=told)


def test_gunicorn_prints_no_secret_of_a_request_that_it_kills(
    provider: ProviderServer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    make_invites(1)
    gate = provider.resend.gate = Gate.before_accepting()

    with (
        serving(log, *GUNICORN, provider=provider) as (server, _process),
        socket_to(server) as asking,
    ):
        asking.sendall(f"GET {RETRY}?secret={SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        gate.wait_for_arrival(timeout=60)
        worker = PROCESS.findall(log.read_text())[-1]
        os.kill(int(worker), signal.SIGABRT)  # as gunicorn does after its --timeout
        assert eventually(lambda: "Error handling request" in log.read_text(), seconds=30)

    assert_no_secret(log, but=f"Error handling request GET {RETRY}?secret=[redacted]")
    assert Invite.objects.get().status == Invite.Status.PROCESSING
