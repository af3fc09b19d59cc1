"""Real processes of this project against the database and the provider of the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from django.db import connection

from tests.end_to_end.hosts import Host
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

ROOT = Path(__file__).resolve().parents[2]
RETRY_INVITES = ("manage.py", "retry_invites", "--json")
RUN_WORKER_QUEUE = ("manage.py", "run_worker_queue")
SECONDS = 60


def database_url() -> str:
    """Return the URL of the test database, as a child's environment takes it."""
    given = connection.get_connection_params()
    user, password = (quote(given.get(name) or "", safe="") for name in ("user", "password"))
    host = quote(str(given.get("host") or ""), safe="")
    port = f"&port={given['port']}" if given.get("port") else ""
    return f"postgres://{user}:{password}@/{given['dbname']}?host={host}{port}"


def others_in_state(state: str) -> int:
    """Return how many other connections to this database PostgreSQL finds in a state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND state = %s",
            [state],
        )
        return int(cursor.fetchone()[0])


def environment(provider: ProviderServer, **changes: str) -> dict[str, str]:
    """Return a child's environment; it begins with that of the tests."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "RESEND_API_URL": provider.url,
        "WHATSAPP_API_URL": f"{provider.url}/v23.0",
        **changes,
    }


def stopping(point: str, *command: str, threads: int = 1) -> tuple[str, ...]:
    """Return the arguments of a command that stops itself where so many threads got to a point."""
    return ("-m", "tests.end_to_end.stopping_runner", point, str(threads), *command)


def hurried(*command: str) -> tuple[str, ...]:
    """Return the arguments of a command whose loop pauses for a second where it does for more."""
    return ("-m", "tests.end_to_end.hurried_runner", *command)


@dataclass
class Process:
    popen: subprocess.Popen[str]

    def wait(self, seconds: float = SECONDS) -> tuple[str, str]:
        """Return what it wrote to its two outputs until its end, which was a success."""
        out, err = self.popen.communicate(timeout=seconds)
        assert self.popen.returncode == 0, err
        return out, err

    def wait_until_it_stops(self) -> None:
        """Return when it has stopped itself; a process that ends instead is a mistake."""
        until = time.monotonic() + SECONDS
        while True:
            pid, status = os.waitpid(self.popen.pid, os.WUNTRACED | os.WNOHANG)
            if pid:
                assert os.WIFSTOPPED(status), f"it ended with {status}"
                return
            assert time.monotonic() < until, f"it did not stop within {SECONDS} s"
            time.sleep(0.01)

    def stop_at_rest(self) -> None:
        """Stop it at a moment when it has asked nothing of the database and holds no lock there.

        A statement on its way is carried out although its sender has stopped, and a busy machine
        carries it out late: after what the test does meanwhile, as if the sender had woken.
        """
        while True:
            self.signal(signal.SIGSTOP)
            self.wait_until_it_stops()
            if eventually(lambda: not others_in_state("active")) and not others_in_state(
                "idle in transaction"
            ):
                return
            self.signal(signal.SIGCONT)

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End it by a signal that it does not survive."""
        self.signal(by)
        self.popen.communicate(timeout=SECONDS)
        assert self.popen.returncode == -by

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)


@contextmanager
def running(
    *arguments: str, env: dict[str, str], output: IO[str] | None = None, host: Host | None = None
) -> Iterator[Process]:
    """Run Python with these arguments, on this machine or a host of the tests' own network.

    Both its outputs go to `output`, or else each to a pipe. It is killed if it still runs at the
    end.
    """
    popen = subprocess.Popen(
        host.command(*arguments) if host else (sys.executable, *arguments),
        cwd=ROOT,
        env=env,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.STDOUT if output else subprocess.PIPE,
        text=True,
    )
    try:
        yield Process(popen)
    finally:
        if popen.poll() is None:
            popen.kill()
            popen.communicate()
