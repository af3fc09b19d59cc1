"""How fast the queue drains, beside a reference that does the least a queue can do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from egac.drain import Drain
from egac.providers import Sender
from notifications.models import Notification
from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import ROOT, Measure, ratio_of_pairs
from scripts.benchmarks.reference import Reference
from scripts.benchmarks.scratch import conninfo, copy, database_url, using

CONCURRENCY = 32
LATENCY = 0.08  # seconds
NO_PROTECTION = timedelta(0)


def send_slowly(message: Any, key: str) -> str:
    """Answer as a provider that takes LATENCY for it."""
    time.sleep(LATENCY)
    return f"id-{key}"


def send_at_once(message: Any, key: str) -> str:
    """Answer as a provider without any latency."""
    return f"id-{key}"


def ours(send: Callable[[Any, str], str]) -> None:
    """Drain the due WhatsApp rows as a worker does."""
    sender = Sender("whatsapp", "bench", send, NO_PROTECTION)
    Drain(Notification.objects.for_whatsapp(), sender, concurrency=CONCURRENCY).run()


def reference(send: Callable[[Any, str], str]) -> None:
    """Drain them as the reference does."""
    Reference(conninfo(), send, concurrency=CONCURRENCY).run()


def rate_of(drain: Callable[[], float | None], count: int) -> float:
    """Return rows a second of one drain of `count` due rows, all of which must have ended.

    A drain that knows better how long it took returns the seconds.
    """
    rows.remove_due()
    rows.fill(count)
    began = time.perf_counter()
    seconds = drain() or time.perf_counter() - began
    assert not Notification.objects.due().exists(), "not every row was drained"
    return count / seconds


def beside_reference(
    name: str, send: Callable[[Any, str], str], *, rows: int, rounds: int, bound: float
) -> Measure:
    """Measure our drain against the reference's, turn by turn."""
    pairs = [
        (rate_of(lambda: reference(send), rows), rate_of(lambda: ours(send), rows))
        for _ in range(rounds)
    ]
    ratio, theirs, our = ratio_of_pairs(pairs)
    return Measure(name, ratio, f"{our:.0f} rows/s beside {theirs:.0f}", bound)


def slow_provider(counts: Counts) -> Measure:
    limit = CONCURRENCY / LATENCY
    name = f"drain, provider answering in 80 ms (limit {limit:.0f} rows/s)"
    return beside_reference(name, send_slowly, rows=counts.slow, rounds=counts.rounds, bound=0.985)


def instant_provider(counts: Counts) -> Measure:
    name = "drain, provider answering at once"
    return beside_reference(name, send_at_once, rows=counts.fast, rounds=counts.rounds, bound=0.2)


def two_processes(counts: Counts) -> Measure:
    """Measure two worker processes against one, the provider answering in 80 ms."""
    pairs = [
        (rate_of(lambda: processes(1), counts.slow), rate_of(lambda: processes(2), counts.slow))
        for _ in range(counts.rounds)
    ]
    ratio, one, two = ratio_of_pairs(pairs)
    return Measure("two processes against one", ratio, f"{two:.0f} rows/s beside {one:.0f}", 1.8)


def processes(count: int) -> float:
    """Drain with so many processes; return the seconds since all of them were ready."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "WHATSAPP_RATE_LIMIT": "1000000"}
    command = [sys.executable, "-m", "scripts.benchmarks.one_worker"]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe)
        for _ in range(count)
    ]
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()
    began = time.perf_counter()
    for each in running:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
        each.stdin.close()
    for each in running:
        each.wait()
    return time.perf_counter() - began


def beside_many(counts: Counts) -> list[Measure]:
    """Measure the drain of due rows beside many others, against its own rate without them."""
    rows.empty()
    with copy("finished") as finished, copy("future") as future:
        with using(finished):
            rows.fill(counts.finished, status="completed")
        with using(future):
            rows.fill(counts.future, wait="1 day")
        turns = [
            (_own_rate(counts), _own_rate_in(finished, counts), _own_rate_in(future, counts))
            for _ in range(counts.rounds)
        ]
    return [
        _crowded(f"{counts.finished:,} finished rows", [(alone, rate) for alone, rate, _ in turns]),
        _crowded(f"{counts.future:,} future rows", [(alone, rate) for alone, _, rate in turns]),
    ]


def _own_rate(counts: Counts) -> float:
    return rate_of(lambda: ours(send_at_once), counts.beside)


def _own_rate_in(database: str, counts: Counts) -> float:
    with using(database):
        return _own_rate(counts)


def _crowded(beside: str, pairs: list[tuple[float, float]]) -> Measure:
    ratio, alone, crowded = ratio_of_pairs(pairs)
    return Measure(f"drain beside {beside}", ratio, f"{crowded:.0f} rows/s beside {alone:.0f}", 0.9)
