"""The loop that drains outgoing rows: claim, prepare, call within the channel's slots, record.

One thread, this one, talks to the database; the threads of calls.py only call the provider. So no
transaction is ever open during a call, and a worker needs one connection.
"""

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
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from egac import channels
from egac.calls import Calls, threads
from egac.canary import settle_canaries
from egac.events import settle_waiting
from egac.orphans import give_back_lost, settle_orphans
from egac.outbox import OutgoingQuerySet
from egac.pacer import Pacer
from egac.prepare import judged, prepare, withheld
from egac.providers import Sender
from egac.record import Ended, Record, given_back, record, tell_of_lost, write_audit

AWAY = (OperationalError, InterfaceError)  # what a database raises that is not there
AHEAD_SECONDS = 0.25  # how much work is claimed at a time; rendering it must not miss a slot
MOST_CLAIMED = 100
FLUSH_SECONDS = 0.05  # how long an outcome waits to be recorded together with others
TICK_SECONDS = 0.02
STARTS = 5  # of about how many the mean duration is taken
SETTLE_SECONDS = 5.0  # a long pass looks so often for what dead senders left
LOOK_AGAIN_SECONDS = 0.5  # after a claim that found too little, while calls are in flight


@dataclass
class Drain:
    """Passes over due rows. `stop` may be set by a signal: what is in flight is finished.

    `limit` bounds the rows claimed; `until`, a time of time.monotonic, bounds when a call may
    begin; `on_records` hears of every row whose end was recorded, `also` is done in the
    transaction that records it. A `pool` outlives the drain, and with it the connections of its
    threads. While `lost_the_database`, what was answered is known here alone: `run` once more takes
    it up, stopped or not. A drain that raised anything else is of no further use.
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
        self._calls = Calls(self.sender, concurrency=self.concurrency)
        self._unrecorded: list[Ended] = []
        self._flushed_at = 0.0
        self._start_seconds = 0.0  # smoothed
        self._claimed = 0
        self._claims_alone = False  # what is in hand may kill its sender: nothing joins it
        self._look_again_at = 0.0
        self._none_left = False
        self.lost_the_database = False
        self._extend_at = time.monotonic() + self.lease.total_seconds() / 3
        self._settle_at = time.monotonic() + SETTLE_SECONDS

    def run(self) -> str:
        """See how the channel stands, settle what no call will end, then do as `send`."""
        if self.lost_the_database:
            self._take_up_again()
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
                while self._fill() or self._calls or self._unrecorded:
                    self._launch(pool)
                    self._collect()
                    self._look_after_leases()
            except AWAY:
                self.lost_the_database = True
                raise
            finally:
                self._calls.let_threads_go()
        return self.pacer.closed

    def _take_up_again(self) -> None:
        """Record what was answered while the database was away, and prolong what is in hand.

        The answer to a claim or a start may be lost with the connection: its rows go back at no
        cost, for no call of theirs began.
        """
        self._flush()
        self._extend()
        give_back_lost(self.rows, owner=self.owner, held=[*self._ready, *self._calls.rows])
        self.lost_the_database = False

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
        return bool(self._ready or self._calls)

    def _has_room(self) -> bool:
        waits = self._claims_alone or time.monotonic() < self._look_again_at
        return len(self._ready) < self.concurrency and not (waits and self._is_in_hand)

    def _claim(self) -> None:
        """Claim and render."""
        room = max(1, min(MOST_CLAIMED, int(self.pacer.rate * AHEAD_SECONDS)) - len(self._ready))
        if self.limit is not None:
            room = min(room, self.limit - self._claimed)
        now = time.monotonic()
        claimed = self._take(room) if room else []
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

    def _take(self, room: int) -> list[Any]:
        """Claim; a row under which a sender died, and a slot with it, only when none is in hand."""
        told: dict[str, Any] = {"owner": self.owner, "lease": self.lease}
        if self._is_in_hand:
            return self._calm_rows.claim(room, **told)
        if self.pacer.has_slots:
            return self.rows.claim(room, **told)
        claimed, slots = self.rows.claim_with_slot(room, channel=self.pacer.name, **told)
        self.pacer.keep(slots)
        return claimed

    def _launch(self, pool: ThreadPoolExecutor) -> None:
        """Begin the calls whose slots have come, as many as there is room for."""
        slots = self.pacer.take(min(self._free(), len(self._ready)))
        rows = [self._ready.popleft() for _ in slots]
        for row, slot in zip(rows, slots, strict=True):
            row.slot_until = slot + self._start_seconds
        started = self._start(rows) if rows else set()
        self._calls.begin([row for row in rows if row.pk in started], pool)
        self._withhold([row for row in rows if row.pk not in started])

    def _start(self, rows: Sequence[Any]) -> set[Any]:
        """Store that calls begin, and note how late that usually makes them: it moves all alike."""
        began = time.monotonic()
        started = self.rows.start(rows)
        self._start_seconds += (time.monotonic() - began - self._start_seconds) / STARTS
        return started

    def _free(self) -> int:
        return self._calls.free(leeway=self.pacer.leeway)

    def _withhold(self, rows: Sequence[Any]) -> None:
        records = withheld(rows)
        self._claimed -= len(records)  # what ends without a call uses up no limit
        self._write(records)

    def _collect(self) -> None:
        """Take the calls that have ended; who was not called in its slot waits for another."""
        late, is_closed = [], False
        for ended in self._calls.ended(timeout=self._rest()):
            is_closed |= ended.closes_the_channel
            if ended.called or time.monotonic() > ended.row.leased_until:
                self._unrecorded.append(ended)
            else:
                late.append(ended.row)
        if late:
            self._take_back(late)
        if is_closed or self._flush_is_due():
            self._flush()

    def _take_back(self, rows: Sequence[Any]) -> None:
        """Store that calls which were to begin do not yet: of a dead sender's nobody must ask."""
        keys = [{"id": row.pk, "lease_number": row.lease_number} for row in rows]
        ours = self.rows.update_each(keys, "call_started_at = NULL, updated_at = now()")
        self._ready.extendleft(row for row in rows if row.pk in ours)
        tell_of_lost(row for row in rows if row.pk not in ours)

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
        """Record the calls that have ended; they are kept until that is done."""
        self._flushed_at = time.monotonic()
        ended = list(self._unrecorded)
        if not ended:
            return
        down = any(each.error for each in ended) and channels.is_down(self.sender.channel)
        self._write(
            judged(each, self.sender, channel_is_down=down, jitter=random.random())
            for each in ended
        )
        self._unrecorded.clear()
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
