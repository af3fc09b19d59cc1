"""How near `retry_invites` comes to the provider's rate, and what starting a command costs."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection
from django.test import override_settings

from egac.models import Channel
from invites.models import Enquiry, Invite
from invites.services import retry_invites
from scripts.benchmarks.measure import ROOT, Measure

RATE = 50.0  # calls a second
COUNT = 400
ROUNDS = 3
STARTS = 7


@contextmanager
def stand_in() -> Iterator[str]:
    """Start the local provider as a process of its own and yield its address."""
    command = [sys.executable, "-m", "tests.providers", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def throughput() -> Measure:
    """Measure sent invites a second against the rate."""
    with stand_in() as address:
        changed = {"RESEND_API_URL": address, "RESEND_RATE_LIMIT": RATE}
        with override_settings(**changed):
            median = statistics.median(_sent_a_second() for _ in range(ROUNDS))
    made_of = f"{median:.1f} sent a second, of {RATE:.0f} allowed"
    return Measure("retry_invites against the rate", median / RATE, made_of, 0.95)


def _sent_a_second() -> float:
    Invite.objects.all().delete()
    Channel.objects.all().delete()
    people = Enquiry.objects.bulk_create(
        Enquiry(name=f"Person {n}", email=f"person{n}@families.example") for n in range(COUNT)
    )
    Invite.objects.bulk_create(Invite(enquiry=person) for person in people)
    began = time.perf_counter()
    sent = retry_invites()["processed"]
    return sent / (time.perf_counter() - began)


def start_of_a_command() -> Measure:
    """Measure a cron command with nothing to do against `manage.py check`, turn by turn."""
    Invite.objects.all().delete()
    pairs = [(_seconds("check"), _seconds("retry_invites")) for _ in range(STARTS)]
    check = statistics.median(pair[0] for pair in pairs)
    command = statistics.median(pair[1] for pair in pairs)
    made_of = f"{command * 1000:.0f} ms beside {check * 1000:.0f} ms of `manage.py check`"
    return Measure("start of a cron command", command / check, made_of, 1.3, at_least=False)


def _seconds(command: str) -> float:
    environment = {**os.environ, "DATABASE_URL": database_url()}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def measures() -> list[Measure]:
    return [throughput(), start_of_a_command()]


def database_url() -> str:
    """Return the address of the scratch database, for a process of its own."""
    told = connection.get_connection_params()
    user = quote(told.get("user") or "")
    password = f":{quote(told['password'])}" if told.get("password") else ""
    port = f"&port={told['port']}" if told.get("port") else ""
    host = told.get("host") or "localhost"
    return f"postgres://{user}{password}@/{told['dbname']}?host={host}{port}"
