"""How many calls a provider gets: few for many e-mails, and never more than its rate."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db.models.functions import Now
from django.test import override_settings

from egac.channels import is_down
from egac.models import Channel
from notifications.passes import run_pass
from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.invites import stand_in
from scripts.benchmarks.measure import ROOT, Measure
from scripts.benchmarks.scratch import database_url
from tests.providers.faults import Fault, always, no_fault
from tests.providers.server import ProviderServer

CALLS_A_SECOND = 2.0
LARGEST_BATCH = 100
RATE, WORKERS, SECONDS_BEFORE = 20, 3, 10.0


def email_batches(counts: Counts) -> Measure:
    """Measure many e-mails at 2 calls a second; 10,000 one by one would take 83 minutes."""
    with (
        stand_in() as address,
        override_settings(RESEND_API_URL=address, RESEND_RATE_LIMIT=CALLS_A_SECOND),
    ):
        seconds = statistics.median(_seconds_of(counts.emails) for _ in range(counts.rounds))
    name = f"{counts.emails:,} e-mails at 2 calls a second"
    bound = 60.0 * counts.emails / 10_000
    return Measure(name, seconds, f"{seconds:.1f} s", bound, at_least=False)


def _seconds_of(emails: int) -> float:
    rows.empty()
    rows.fill(emails, channel="email")
    began = time.perf_counter()
    run_pass(limit=emails, seconds=600, channels=["email"])
    seconds = time.perf_counter() - began
    assert rows.count("completed") == emails, "not every e-mail was sent"
    return seconds


def in_any_second(counts: Counts) -> Measure:
    """Count the calls of several workers, through an outage and for a minute after it.

    The breaker's pause is cut short: what follows it is what could be a storm.
    """
    rows.empty()
    rows.fill(int(RATE * (counts.seconds_of_calls + 2 * SECONDS_BEFORE)))
    with ProviderServer() as server, _loops(server.url):
        _wait_for(lambda: len(server.whatsapp.accepted) >= RATE * SECONDS_BEFORE)
        server.whatsapp.faults = always(Fault.unavailable())
        _wait_for(lambda: is_down("whatsapp"))
        server.whatsapp.faults = no_fault
        before = len(server.whatsapp.accepted)
        Channel.objects.filter(name="whatsapp").update(held_until=Now())
        time.sleep(counts.seconds_of_calls)
        after = len(server.whatsapp.accepted) - before
        most = server.whatsapp.max_calls_in_any_second()
    assert after > 0.8 * RATE * counts.seconds_of_calls, "the workers did not go on"
    made_of = f"{most} at a rate of {RATE}, {WORKERS} workers, an outage among them"
    return Measure("calls in any second", most, made_of, RATE + 1, at_least=False)


@contextmanager
def _loops(provider: str) -> Iterator[None]:
    """Run several workers as processes; end them as an operator would."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "WHATSAPP_API_URL": f"{provider}/v23.0",
        "WHATSAPP_RATE_LIMIT": str(RATE),
    }
    command = [sys.executable, "manage.py", "run_worker_queue", "--loop", "--channel", "whatsapp"]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(WORKERS)]
    try:
        yield
    finally:
        for each in running:
            each.send_signal(signal.SIGTERM)
        for each in running:
            each.wait(timeout=60)


def _wait_for(condition: Callable[[], bool], *, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
