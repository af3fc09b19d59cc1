"""How fast the queue drains, beside a reference that does the least a queue can do."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import override_settings

from egac.drain import Drain
from egac.providers import Sender
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.services import Message, enqueue
from scripts.benchmarks import rows
from scripts.benchmarks.invites import database_url, stand_in
from scripts.benchmarks.measure import ROOT, Measure
from scripts.benchmarks.pickup import Listener, loop_latencies
from scripts.benchmarks.reference import Reference

ROUNDS = 3
CONCURRENCY = 32
LATENCY = 0.08  # seconds
SLOW, FAST, EMAILS, PICK_UPS = 4_000, 20_000, 10_000, 40
FINISHED, FUTURE = 1_000_000, 200_000
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
    Reference(rows.conninfo(), send, concurrency=CONCURRENCY).run()


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
    name: str, send: Callable[[Any, str], str], count: int, bound: float
) -> Measure:
    """Measure our drain against the reference's, turn by turn."""
    pairs = [
        (rate_of(lambda: reference(send), count), rate_of(lambda: ours(send), count))
        for _ in range(ROUNDS)
    ]
    told = [statistics.median(rates) for rates in zip(*pairs, strict=True)]
    ratio = statistics.median(our / their for their, our in pairs)
    made_of = f"{told[1]:.0f} rows/s beside {told[0]:.0f}"
    return Measure(name, ratio, made_of, bound)


def slow_provider() -> Measure:
    limit = CONCURRENCY / LATENCY
    name = f"drain, provider answering in 80 ms (limit {limit:.0f}/s)"
    return beside_reference(name, send_slowly, SLOW, 0.985)


def instant_provider() -> Measure:
    return beside_reference("drain, provider answering at once", send_at_once, FAST, 0.20)


def two_processes() -> Measure:
    """Measure two worker processes against one, the provider answering in 80 ms."""
    pairs = [
        (rate_of(lambda: processes(1), SLOW), rate_of(lambda: processes(2), SLOW))
        for _ in range(ROUNDS)
    ]
    one, two = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratio = statistics.median(two / one for one, two in pairs)
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


def bulk_enqueue() -> Measure:
    """Measure enqueue() of many messages against a plain INSERT of as many."""
    rows.empty()
    pairs = [(_inserted_a_second(), _enqueued_a_second(number)) for number in range(ROUNDS)]
    plain, enqueued = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    made_of = f"{enqueued:.0f} rows/s beside {plain:.0f} of INSERT … SELECT unnest"
    return Measure("bulk enqueue", enqueued / plain, made_of, 0.1)


def _enqueued_a_second(number: int) -> float:
    messages = [
        Message("payment_reminder", rows.whatsapp_payload(n), key=f"bench/{number}/{n}")
        for n in range(FAST)
    ]
    began = time.perf_counter()
    assert len(enqueue(messages)) == FAST
    return FAST / (time.perf_counter() - began)


def _inserted_a_second() -> float:
    payloads = [json.dumps(rows.whatsapp_payload(n)) for n in range(FAST)]
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_queue (type, payload) "
            "SELECT 'payment_reminder', told FROM unnest(%s::jsonb[]) AS told",
            [payloads],
        )
    return FAST / (time.perf_counter() - began)


def pick_up() -> Measure:
    """Measure from INSERT to the call on an idle loop, beside a bare LISTEN loop's."""
    reference_ms = statistics.median(Listener().latencies(PICK_UPS)) * 1000
    ours_ms = statistics.median(loop_latencies(PICK_UPS)) * 1000
    made_of = f"{ours_ms:.1f} ms beside {reference_ms:.1f} ms"
    ratio = ours_ms / reference_ms
    return Measure("pick-up on an idle loop, p50", ratio, made_of, 2.0, at_least=False)


def beside_many(name: str, **beside: Any) -> Measure:
    """Measure the drain of due rows beside many others, against its own rate without them."""
    rows.empty()
    alone = statistics.median(rate_of(lambda: ours(send_at_once), FAST) for _ in range(ROUNDS))
    rows.empty()
    rows.fill(**beside)
    crowded = statistics.median(rate_of(lambda: ours(send_at_once), FAST) for _ in range(ROUNDS))
    made_of = f"{crowded:.0f} rows/s beside {alone:.0f}"
    return Measure(name, crowded / alone, made_of, 0.9)


def email_batches() -> Measure:
    """Measure 10,000 e-mails at 2 calls a second; one by one they would take 83 minutes."""
    rows.empty()
    rows.fill(EMAILS, channel="email")
    with stand_in() as address, override_settings(RESEND_API_URL=address, RESEND_RATE_LIMIT=2.0):
        began = time.perf_counter()
        run_pass(limit=EMAILS, seconds=600, channels=["email"])
        seconds = time.perf_counter() - began
    assert rows.count("completed") == EMAILS, "not every e-mail was sent"
    made_of = f"{seconds:.1f} s for {EMAILS} e-mails"
    return Measure("10,000 e-mails at 2 calls a second", seconds / 60, made_of, 1.0, at_least=False)


def measures() -> list[Measure]:
    """Measure all of it; the WhatsApp rate limit is raised out of the way."""
    with override_settings(WHATSAPP_RATE_LIMIT=1_000_000.0):
        return [
            slow_provider(),
            instant_provider(),
            two_processes(),
            bulk_enqueue(),
            pick_up(),
            beside_many("drain beside 1,000,000 finished rows", count=FINISHED, status="completed"),
            beside_many("drain beside 200,000 future rows", count=FUTURE, wait="1 day"),
            email_batches(),
        ]
