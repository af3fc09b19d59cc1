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
from egac.canary import settle_canaries
from egac.events import settle_waiting
from egac.logs import about
from egac.orphans import settle_orphans
from egac.outbox import OutgoingQuerySet
from egac.pacer import Pacer
from egac.prepare import judged, prepare, withheld
from egac.providers import Cause, ProviderError, Sender
from egac.record import Ended, Record, given_back, record, write_audit

logger = logging.getLogger(__name__)

AHEAD_SECONDS = 0.25  # how much work is claimed at a time; rendering it must not miss a slot
MOST_CLAIMED = 100
FLUSH_SECONDS = 0.05  # how long an outcome waits to be recorded together with others
TICK_SECONDS = 0.02
SETTLE_SECONDS = 5.0  # a long pass looks so often for what dead senders left
LOOK_AGAIN_SECONDS = 0.5  # after a claim that found too little, while calls are in flight
QUEUED_SECONDS, MOST_QUEUED = 0.025, 8  # how long, and how many a thread, calls wait for one
SMOOTHING = 20  # of how many calls the mean is taken


def threads(count: int) -> ThreadPoolExecutor:
    """Return the threads that call a provider; each keeps its own connection to it."""
    return ThreadPoolExecutor(count, thread_name_prefix="send")


@dataclass
class Drain:
    """Passes over due rows. `stop` may be set by a signal: what is in flight is finished.

    `limit` bounds the rows claimed; `until`, a time of time.monotonic, bounds when a call may
    begin; `on_records` hears of every row whose end was recorded, `also` is done in the
    transaction that records it. A `pool` outlives the drain, and with it the connections of its
    threads. A drain that raised is of no further use.
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
    pacer: Pacer = field(init=False)

    def __post_init__(self) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.lease = timedelta(seconds=settings.WORKER_LEASE_SECONDS)
        self._calm_rows = self.rows.filter(orphaned=False)
        self._ready: deque[Any] = deque()  # claimed and rendered, not called yet
        self._in_flight = 0
        self._to_call: SimpleQueue[Any] = SimpleQueue()  # None: a thread may go
        self._calling = 0  # threads that take rows from there
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._unrecorded: list[Ended] = []
        self._flushed_at = 0.0
        self._call_seconds = 1.0  # smoothed
        self._claimed = 0
        self._claims_alone = False  # what is in hand may kill its sender: nothing joins it
        self._look_again_at = 0.0
        self._none_left = False
        self._extend_at = time.monotonic() + self.lease.total_seconds() / 3
        self._settle_at = time.monotonic() + SETTLE_SECONDS

    def run(self) -> str:
        """See how the channel stands, settle what no call will end, then do as `send`."""
        self.pacer = Pacer(self.sender.channel, until=self.until)
        self._settle()
        return self.send()

    def send(self) -> str:
        """Send what is due until none is left, the limit or the time is reached, or told to stop.

        The channel is taken to stand as `run`, or a call since then, found it. Rows claimed and
        not called are given back at no cost. Returns in a sentence why the channel is closed, or
        "".
        """
        with nullcontext(self.pool) if self.pool else threads(self.concurrency) as pool:
            try:
                while self._fill() or self._in_flight or self._unrecorded:
                    self._launch(pool)
                    self._collect()
                    self._look_after_leases()
            finally:
                for _ in range(self._calling):
                    self._to_call.put(None)
                self._calling = 0
        return self.pacer.closed

    def _fill(self) -> bool:
        """Claim more where there is room for it; return whether there may be more to call."""
        if self._is_over():
            self._write(given_back(row) for row in self._ready)
            self._ready.clear()
            return False
        if self._has_room():
            self._claim()
        return not self._none_left

    def _is_over(self) -> bool:
        stopped = self.stop.is_set() or bool(self.pacer.closed)
        return stopped or time.monotonic() >= self.until

    @property
    def _is_in_hand(self) -> bool:
        return bool(self._ready or self._in_flight)

    def _has_room(self) -> bool:
        waits = self._claims_alone or time.monotonic() < self._look_again_at
        return len(self._ready) < self.concurrency and not (waits and self._is_in_hand)

    def _claim(self) -> None:
        """Claim and render; a row under which a sender died only when no other is in hand."""
        rows = self._calm_rows if self._is_in_hand else self.rows
        room = max(1, min(MOST_CLAIMED, int(self.pacer.rate * AHEAD_SECONDS)) - len(self._ready))
        if self.limit is not None:
            room = min(room, self.limit - self._claimed)
        now = time.monotonic()
        claimed = rows.claim(room, owner=self.owner, lease=self.lease) if room else []
        for row in claimed:
            row.leased_until = now + self.lease.total_seconds()
        if len(claimed) < room or not room:
            self._look_again_at = now + LOOK_AGAIN_SECONDS
        self._claims_alone = bool(claimed) and claimed[0].orphaned
        self._none_left = not (claimed or self._is_in_hand)
        ready, settled = prepare(claimed, self.sender)
        self._claimed += len(ready)
        self._ready.extend(ready)
        self._write(settled)

    def _launch(self, pool: ThreadPoolExecutor) -> None:
        """Begin the calls whose slots have come, as many as there is room for."""
        count = self.pacer.take(min(self._free(), len(self._ready)))
        rows = [self._ready.popleft() for _ in range(count)]
        started = self.rows.start(rows) if rows else set()
        for row in rows:
            if row.pk in started:
                self._in_flight += 1
                self._to_call.put(row)
        self._withhold([row for row in rows if row.pk not in started])
        while self._calling < min(self._in_flight, self.concurrency):
            self._calling += 1
            pool.submit(copy_context().run, self._serve)

    def _withhold(self, rows: Sequence[Any]) -> None:
        records = withheld(rows)
        self._claimed -= len(records)  # what ends without a call uses up no limit
        self._write(records)

    def _serve(self) -> None:
        """Call row after row, in a thread of the pool, until told to go."""
        for row in iter(self._to_call.get, None):
            self._call(row)

    def _free(self) -> int:
        """Return how many more calls may begin, none where only a few may.

        There is one for each thread, and so many wait for a thread that none rests while the next
        ones are begun, a number of them together.
        """
        a_thread = min(MOST_QUEUED, QUEUED_SECONDS / max(self._call_seconds, 1e-6))
        queued = int(self.concurrency * a_thread)
        free = self.concurrency + queued - self._in_flight
        return free if free > queued // 2 else 0

    def _call(self, row: Any) -> None:
        """Send one row; whatever happens is told as an Ended."""
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
        seconds = time.monotonic() - began
        self._ended.put(Ended(row, answer, failed, seconds, told_rate=self.sender.told_rate()))

    def _collect(self) -> None:
        """Take the calls that have ended, and record them together."""
        wait = self._rest()
        try:
            while True:
                ended = self._ended.get(timeout=wait)
                self._unrecorded.append(ended)
                self._in_flight -= 1
                self._call_seconds += ((ended.seconds or 0.0) - self._call_seconds) / SMOOTHING
                wait = 0.0
        except Empty:
            pass  # none has ended since: that is all there is to record
        if self._flush_is_due():
            self._flush()

    def _rest(self) -> float:
        """Return for how long there is nothing to do unless a call ends, in seconds."""
        if not self._is_in_hand:
            return 0.0
        can_launch = self._ready and self._free() > 0
        return min(TICK_SECONDS, self.pacer.seconds_to_next()) if can_launch else TICK_SECONDS

    def _flush_is_due(self) -> bool:
        """Whether to record now: many have ended, or long ago, or nothing else is to do."""
        idle = not self._is_in_hand
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
        if told := [each.told_rate for each in ended if each.told_rate]:
            self.pacer.hear(told[-1])

    def _write(self, records: Iterable[Record]) -> None:
        written = record(self.rows, list(records), also=self.also)
        if written:
            self.on_records(written)

    def _look_after_leases(self) -> None:
        """Prolong ours in time, so that they can be short, and find soon what others left."""
        if time.monotonic() >= self._extend_at:
            self._extend()
        if time.monotonic() >= self._settle_at:
            self._settle()

    def _settle(self) -> None:
        """End what no call will: a dead sender's rows, doubts that news came for, used-up rows."""
        self._settle_at = time.monotonic() + SETTLE_SECONDS
        settle_orphans(self.rows, self.sender, lease=self.lease, also=self.also)
        settle_waiting(self.rows.model)
        settle_canaries(self.rows.model)
        self.rows.give_up()

    def _extend(self) -> None:
        now, seconds = time.monotonic(), self.lease.total_seconds()
        self._extend_at = now + seconds / 3
        ours = self.rows.extend(owner=self.owner, lease=self.lease)
        for row in self._ready:
            row.leased_until = now + seconds if row.pk in ours else 0.0
