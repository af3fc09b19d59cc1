"""What the queue is held against: plain psycopg, no Django, no fence, no doubt, no channel.

It claims in batches, calls in threads, and finishes in batches with an audit row each, which is
the least that a queue can do.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import psycopg

BATCH = 100
CLAIM = """
UPDATE notifications_queue SET status = 'processing', updated_at = now()
WHERE id IN (SELECT id FROM notifications_queue
  WHERE status = 'pending' AND (scheduled_for IS NULL OR scheduled_for <= now())
    AND payload @> '{"channel": "whatsapp"}'
  ORDER BY priority, scheduled_for NULLS FIRST, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, payload
"""
FINISH = """
UPDATE notifications_queue SET status = 'completed', attempts = attempts + 1, updated_at = now()
WHERE id = ANY(%s)
"""
AUDIT = """
INSERT INTO message_audit (source, source_id, generation, attempt, counted, channel, recipient,
  provider, provider_message_id, outcome)
SELECT 'notifications_queue', id::text, 1, 1, true, 'whatsapp', recipient, 'reference', told,
  'accepted' FROM unnest(%s::int[], %s::text[], %s::text[]) AS done(id, recipient, told)
"""

Send = Callable[[Any, str], str]


class Reference:
    """Drain the due WhatsApp rows of a database."""

    def __init__(self, conninfo: dict[str, Any], send: Send, *, concurrency: int) -> None:
        self.connection = psycopg.connect(**conninfo, autocommit=True)
        self.send = send
        self.concurrency = concurrency
        self.ready: deque[tuple[int, Any]] = deque()
        self.done: SimpleQueue[tuple[int, str, str]] = SimpleQueue()
        self.in_flight = 0

    def run(self) -> None:
        """Finish what is due."""
        with self.connection, ThreadPoolExecutor(self.concurrency) as pool:
            self._drain(pool)

    def listen(self, ended: threading.Event) -> None:
        """Finish what becomes due, woken by NOTIFY, until told to end."""
        with self.connection, ThreadPoolExecutor(self.concurrency) as pool:
            self.connection.execute("LISTEN notifications_queue")
            while not ended.is_set():
                # A list: the connection is locked until the generator ends.
                if list(self.connection.notifies(timeout=0.2, stop_after=1)):
                    self._drain(pool)

    def _drain(self, pool: ThreadPoolExecutor) -> None:
        while self._fill() or self.in_flight:
            while self.ready and self.in_flight < self.concurrency:
                pool.submit(self._call, *self.ready.popleft())
                self.in_flight += 1
            self._finish()

    def _fill(self) -> bool:
        if len(self.ready) < self.concurrency:
            self.ready.extend(self.connection.execute(CLAIM, [BATCH]).fetchall())
        return bool(self.ready)

    def _call(self, key: int, payload: Any) -> None:
        told = self.send(json.loads(json.dumps(payload)), f"reference/{key}")
        self.done.put((key, payload["to"], told))

    def _finish(self) -> None:
        rows = [self.done.get()]
        until = time.monotonic() + 0.005
        while len(rows) < BATCH and time.monotonic() < until:
            try:
                rows.append(self.done.get_nowait())
            except Empty:
                if self.in_flight == len(rows):
                    break
                time.sleep(0.0005)
        ids, recipients, told = (list(column) for column in zip(*rows, strict=True))
        with self.connection.transaction():
            self.connection.execute(FINISH, [ids])
            self.connection.execute(AUDIT, [ids, recipients, told])
        self.in_flight -= len(rows)
