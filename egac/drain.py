"""The loop that drains outgoing rows: claim, prepare, call within the channel's slots, record.

One thread, this one, talks to the database; the threads of the pool only call the provider. So no
transaction is ever open during a call, and a worker needs one connection.
"""

import logging
import os
import random
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings

from egac import channels
from egac.events import settle_waiting
from egac.logs import about
from egac.orphans import settle_orphans
from egac.outbox import OutgoingQuerySet
from egac.pacer import Pacer
from egac.prepare import judged, prepare
from egac.providers import Cause, ProviderError, Sender
from egac.record import Ended, Record, given_back, record, write_audit

logger = logging.getLogger(__name__)

AHEAD_SECONDS = 0.25  # how much work is claimed at a time; rendering it must not miss a slot
MOST_CLAIMED = 100
FLUSH_SECONDS = 0.05  # how long an outcome waits to be recorded together with others
TICK_SECONDS = 0.02
QUEUED_SECONDS, MOST_ROUNDS, SMOOTHING = 0.005, 4, 20


def threads(count: int) -> ThreadPoolExecutor:
    """Return the threads that call a provider; each keeps its own connection to it."""
    return ThreadPoolExecutor(count, thread_name_prefix="send")


@dataclass
class Drain:
    """One pass over due rows. `stop` may be set by a signal: what is in flight is finished.

    `limit` bounds the rows claimed; `until`, a time of time.monotonic, bounds when a call may
    begin; `on_records` hears of every row whose end was recorded, `also` is done in the
    transaction that records it. A `pool` outlives the pass, and with it the connections of its
    threads.
    """

    rows: OutgoingQuerySet
    sender: Sender
    limit: int | None = None
    until: float = float("inf")
    concurrency: int = 1
    on_records: Callable[[list[Record]], object] = len
    also: Callable[[Sequence[Record]], object] = write_audit
    pool: ThreadPoolExecutor | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.lease = timedelta(seconds=settings.WORKER_LEASE_SECONDS)
        self.pacer = Pacer(self.sender.channel, until=self.until)
        self._ready: deque[Any] = deque()  # claimed and rendered, not called yet
        self._in_flight = 0
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._unrecorded: list[Ended] = []
        self._flushed_at = 0.0
        self._call_seconds = 1.0  # smoothed
        self._claimed = 0
        self._claims_alone = False  # the next claim waits until nothing is in hand
        self._none_left = False
        self._extend_at = 0.0

    def run(self) -> str:
        """Send what is due until none is left, the limit or the time is reached, or told to stop.

        Rows claimed and not called are given back at no cost. Returns in a sentence why the
        channel is closed, or "".
        """
        settle_orphans(self.rows, self.sender, lease=self.lease, also=self.also)
        settle_waiting(self.rows.model)
        self.rows.give_up()
        with nullcontext(self.pool) if self.pool else threads(self.concurrency) as pool:
            while self._fill() or self._in_flight or self._unrecorded:
                self._launch(pool)
                self._collect()
                self._keep_leases()
        return self.pacer.closed

    def _fill(self) -> bool:
        """Claim more where there is room for it; return whether a row is ready to be called."""
        while self._has_room() and not self._is_over():
            self._claim()
        if self._is_over():
            self._write(given_back(row) for row in self._ready)
            self._ready.clear()
        return bool(self._ready)

    def _is_over(self) -> bool:
        stopped = self.stop.is_set() or bool(self.pacer.closed)
        return stopped or time.monotonic() >= self.until

    def _has_room(self) -> bool:
        if self._none_left:
            return False
        if self._claims_alone:
            return not (self._ready or self._in_flight)
        return len(self._ready) < self.concurrency

    def _claim(self) -> None:
        """Claim and render; a row under which a sender died only when no other is in hand."""
        in_hand = bool(self._ready or self._in_flight)
        rows = self.rows.filter(orphaned=False) if in_hand else self.rows
        room = max(1, min(MOST_CLAIMED, int(self.pacer.rate * AHEAD_SECONDS)) - len(self._ready))
        if self.limit is not None:
            room = min(room, self.limit - self._claimed)
        leased_until = time.monotonic() + self.lease.total_seconds()
        claimed = rows.claim(room, owner=self.owner, lease=self.lease) if room else []
        for row in claimed:
            row.leased_until = leased_until
        self._claims_alone = not claimed or claimed[0].orphaned
        self._none_left = not (claimed or in_hand)
        ready, settled = prepare(claimed, self.sender)
        self._claimed += len(ready)  # what ends without a call uses up no limit
        self._ready.extend(ready)
        self._write(settled)

    def _launch(self, pool: ThreadPoolExecutor) -> None:
        """Begin the calls whose slots have come, as many as there is room for."""
        count = self.pacer.take(min(self._free(), len(self._ready)))
        rows = [self._ready.popleft() for _ in range(count)]
        ours = self.rows.start(rows) if rows else set()
        for row in rows:
            if row.pk in ours:
                self._in_flight += 1
                pool.submit(copy_context().run, self._call, row)

    def _free(self) -> int:
        """Return how many more calls may begin: one for each free thread, or, where calls end at
        once, so many more that the last one waits QUEUED_SECONDS for a thread."""
        rounds = QUEUED_SECONDS / max(self._call_seconds, QUEUED_SECONDS / MOST_ROUNDS)
        return int(self.concurrency * max(1.0, rounds)) - self._in_flight

    def _call(self, row: Any) -> None:
        """Send one row, in a thread of the pool; whatever happens is told as an Ended."""
        began = time.monotonic()
        if began > row.leased_until:
            self._ended.put(Ended(row, called=False))
            return
        answer, failed = None, None
        try:
            answer = self.sender.send(row.message(), row.idempotency_key)
        except ProviderError as error:
            failed = error
        except Exception as error:
            # The drain loop's exception: a row that breaks its sender harms nobody behind it.
            table = row._meta.db_table
            logger.exception("%s %s broke its sender", table, row.pk, extra=about(row))
            failed = ProviderError(f"Sending broke: {type(error).__name__}.", cause=Cause.MESSAGE)
        self._ended.put(Ended(row, answer, failed, time.monotonic() - began))

    def _collect(self) -> None:
        """Take the calls that have ended, and record them together."""
        can_launch = self._ready and self._free() > 0
        wait = min(TICK_SECONDS, self.pacer.seconds_to_next()) if can_launch else TICK_SECONDS
        try:
            while True:
                ended = self._ended.get(timeout=wait) if wait else self._ended.get_nowait()
                self._unrecorded.append(ended)
                self._in_flight -= 1
                self._call_seconds += ((ended.seconds or 0.0) - self._call_seconds) / SMOOTHING
                wait = 0
        except Empty:
            pass  # none has ended since: that is all there is to record
        if self._flush_is_due():
            self._flush()

    def _flush_is_due(self) -> bool:
        """Whether to record now: many have ended, or long ago, or nothing else is to do."""
        idle = not (self._in_flight or self._ready)
        aged = time.monotonic() - self._flushed_at > FLUSH_SECONDS
        return idle or aged or len(self._unrecorded) >= MOST_CLAIMED

    def _flush(self) -> None:
        self._flushed_at = time.monotonic()
        ended, self._unrecorded = self._unrecorded, []
        if not ended:
            return
        down = any(each.error for each in ended) and channels.is_down(self.sender.channel)
        self._write(
            judged(each, self.sender, channel_is_down=down, jitter=random.random())
            for each in ended
        )
        self.pacer.note([each.error for each in ended if each.called])

    def _write(self, records: Iterable[Record]) -> None:
        written = record(self.rows, list(records), also=self.also)
        if written:
            self.on_records(written)

    def _keep_leases(self) -> None:
        """Prolong our leases in time, so that they can be short and an orphan is found soon."""
        now, seconds = time.monotonic(), self.lease.total_seconds()
        if now < self._extend_at:
            return
        self._extend_at = now + seconds / 3
        ours = self.rows.extend(owner=self.owner, lease=self.lease)
        for row in self._ready:
            row.leased_until = now + seconds if row.pk in ours else 0.0
