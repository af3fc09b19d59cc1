"""How near `retry_invites` comes to the provider's rate, and what starting a command costs."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from egac.models import Channel
from invites.models import Enquiry, Invite
from invites.services import retry_invites
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import ROOT, Measure, ratio_of_pairs
from scripts.benchmarks.scratch import database_url

RATE = 50.0  # calls a second
COUNT = 400


@contextmanager
def stand_in() -> Iterator[str]:
    """Start the local provider as a process of its own and yield its address."""
    command = [sys.executable, "-m", "tests.providers", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


def throughput(counts: Counts) -> Measure:
    """Measure sent invites a second against the rate."""
    with stand_in() as address:
        changed = {"RESEND_API_URL": address, "RESEND_RATE_LIMIT": RATE}
        with override_settings(**changed):
            median = statistics.median(_sent_a_second() for _ in range(counts.rounds))
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


def start_of(command: str, counts: Counts) -> Measure:
    """Measure a cron command with nothing to do against `manage.py check`, turn by turn."""
    pairs = [(_seconds("check"), _seconds(command)) for _ in range(counts.starts)]
    ratio, check, ours = ratio_of_pairs(pairs)
    made_of = f"{ours * 1000:.0f} ms beside {check * 1000:.0f} ms of `manage.py check`"
    name = f"start of `{command}` with nothing to do"
    return Measure(name, ratio, made_of, 1.3, at_least=False)


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


def measures(counts: Counts) -> Iterator[Measure]:
    """Measure what invites promise."""
    yield throughput(counts)
    Invite.objects.all().delete()
    yield start_of("retry_invites", counts)
