"""How long a message waits on an idle loop, from its INSERT to its call."""

import threading
import time
from collections.abc import Iterator
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

INSERT = "INSERT INTO notifications_queue (type, payload) VALUES ('payment_reminder', %s)"
REST = 0.1  # seconds between two messages, so that the loop is idle


class Listener:
    """A bare loop: LISTEN, claim one, call, finish."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.at = 0.0

    def send(self, message: Any, key: str) -> str:
        """Note when the call came."""
        self.at = time.perf_counter()
        self.called.set()
        return f"id-{key}"

    def latencies(self, count: int) -> list[float]:
        """Return the seconds of so many messages, one after the other."""
        ended = threading.Event()
        thread = threading.Thread(target=self._loop, args=(ended,))
        thread.start()
        try:
            return inserted_one_by_one(self, count)
        finally:
            ended.set()
            thread.join()

    def _loop(self, ended: threading.Event) -> None:
        with psycopg.connect(**rows.conninfo(), autocommit=True) as listening:
            listening.execute("LISTEN notifications_queue")
            while not ended.is_set():
                for _ in listening.notifies(timeout=0.2, stop_after=1):
                    self._take_one(listening)

    def _take_one(self, listening: psycopg.Connection[Any]) -> None:
        taken = listening.execute(
            "UPDATE notifications_queue SET status = 'processing', updated_at = now() "
            "WHERE id = (SELECT id FROM notifications_queue WHERE status = 'pending' "
            "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, payload"
        ).fetchone()
        if taken:
            self.send(taken[1], str(taken[0]))
            listening.execute(
                "UPDATE notifications_queue SET status = 'completed' WHERE id = %s", [taken[0]]
            )


def inserted_one_by_one(listener: Listener, count: int) -> list[float]:
    """Insert messages into an idle queue and return how long each waited for its call."""
    waits = []
    with psycopg.connect(**rows.conninfo(), autocommit=True) as inserting:
        for number in range(count):
            time.sleep(REST)
            listener.called.clear()
            began = time.perf_counter()
            inserting.execute(INSERT, [Jsonb(rows.whatsapp_payload(number))])
            assert listener.called.wait(30), "the message was not picked up"
            waits.append(listener.at - began)
    return waits


def loop_latencies(count: int) -> list[float]:
    """Return the same of our worker's loop, its provider answering at once."""
    listener = Listener()
    rows.empty()
    with running_loop(listener):
        return inserted_one_by_one(listener, count)


def run_and_hang_up(loop: Loop) -> None:
    """Run the loop in a thread that leaves no connection behind."""
    loop.run()
    connection.close()


@contextmanager
def running_loop(listener: Listener) -> Iterator[None]:
    """Run the worker's loop with one lane whose sender is the listener."""

    class Lane(WhatsAppRows):
        sender = Sender("whatsapp", "bench", listener.send, timedelta(0))

        def why_held(self) -> str:
            return ""

    loop = Loop([Lane], concurrency=4)
    thread = threading.Thread(target=run_and_hang_up, args=(loop,))
    thread.start()
    time.sleep(1)  # let it come to rest
    try:
        yield
    finally:
        loop.end()
        thread.join()
