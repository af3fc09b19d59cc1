"""How long a message waits on an idle loop, from its INSERT to its call."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from egac.providers import Sender
from notifications.lanes import WhatsAppRows
from notifications.worker import Loop
from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import Measure, ratio_of_pairs
from scripts.benchmarks.reference import Reference
from scripts.benchmarks.scratch import conninfo

INSERT = "INSERT INTO notifications_queue (type, payload) VALUES ('payment_reminder', %s)"
CONCURRENCY = 8
REST = 0.1  # seconds between two messages, so that the loop is idle


def pick_up(counts: Counts) -> Measure:
    """Measure our loop beside the reference's, turn by turn."""
    turns = [
        (_median_ms(reference_loop, counts), _median_ms(our_loop, counts))
        for _ in range(counts.rounds)
    ]
    ratio, theirs, ours = ratio_of_pairs(turns)
    made_of = f"{ours:.1f} ms beside {theirs:.1f} ms"
    return Measure("pick-up on an idle loop, p50", ratio, made_of, 2.0, at_least=False)


class Listener:
    """A provider that notes when its call came."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.at = 0.0

    def send(self, message: Any, key: str) -> str:
        self.at = time.perf_counter()
        self.called.set()
        return f"id-{key}"


def _median_ms(loop: Any, counts: Counts) -> float:
    """Insert messages into an idle queue and return how long one waits for its call."""
    rows.empty()
    listener, waits = Listener(), []
    with loop(listener), psycopg.connect(**conninfo(), autocommit=True) as inserting:
        for number in range(counts.picked_up):
            time.sleep(REST)
            listener.called.clear()
            began = time.perf_counter()
            inserting.execute(INSERT, [Jsonb(rows.whatsapp_payload(number))])
            assert listener.called.wait(30), "the message was not picked up"
            waits.append(listener.at - began)
    return statistics.median(waits) * 1000


@contextmanager
def reference_loop(listener: Listener) -> Iterator[None]:
    """Run the reference's own loop."""
    ended = threading.Event()
    reference = Reference(conninfo(), listener.send, concurrency=CONCURRENCY)
    thread = threading.Thread(target=reference.listen, args=(ended,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def our_loop(listener: Listener) -> Iterator[None]:
    """Run the worker's loop until it has come to rest."""
    with looping(listener.send, key_protects=timedelta(0)):
        time.sleep(1)
        yield


@contextmanager
def looping(send: Callable[[Any, str], str], *, key_protects: timedelta) -> Iterator[None]:
    """Run the worker's loop with one lane, which sends so."""

    class Lane(WhatsAppRows):
        sender = Sender("whatsapp", "bench", send, key_protects)

        def why_held(self) -> str:
            return ""

    loop = Loop([Lane], concurrency=CONCURRENCY)
    thread = threading.Thread(target=_run_and_hang_up, args=(loop,))
    thread.start()
    try:
        yield
    finally:
        loop.end()
        thread.join()


def _run_and_hang_up(loop: Loop) -> None:
    """Run the loop in a thread that leaves no connection behind."""
    loop.run()
    connection.close()
