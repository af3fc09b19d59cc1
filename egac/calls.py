"""The open calls of a drain: rows that it handed to threads, which do nothing but call."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any

from egac.logs import about
from egac.providers import Cause, ProviderError, Sender
from egac.record import Ended

logger = logging.getLogger(__name__)

QUEUED_SECONDS, MOST_QUEUED = 0.025, 8  # how long, and how many a thread, calls wait for one
SMOOTHING = 20  # of how many calls the mean is taken


def threads(count: int) -> ThreadPoolExecutor:
    """Return the threads that call a provider; each keeps its own connection to it."""
    return ThreadPoolExecutor(count, thread_name_prefix="send")


class Calls:
    """Calls that were begun and whose end nobody has asked for yet; they outlive an error."""

    def __init__(self, sender: Sender, *, concurrency: int) -> None:
        self._sender = sender
        self._concurrency = concurrency
        self._open: dict[tuple[Any, int], Any] = {}  # a row may be claimed anew meanwhile
        self._to_call: SimpleQueue[Any] = SimpleQueue()  # None: a thread may go
        self._threads = 0  # that take rows from there
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._seconds = 1.0  # of a call, smoothed

    def __len__(self) -> int:
        return len(self._open)

    @property
    def rows(self) -> list[Any]:
        return list(self._open.values())

    def free(self, *, leeway: float) -> int:
        """Return how many more calls may begin, none where only a few may.

        There is one for each thread, and so many wait for a thread that none rests while the next
        ones are begun, a number of them together. None shall wait for longer than half of `leeway`,
        in seconds: its slot would be over.
        """
        waits = min(QUEUED_SECONDS, leeway / 2)
        a_thread = min(MOST_QUEUED, waits / max(self._seconds, 1e-6))
        queued = int(self._concurrency * a_thread)
        free = self._concurrency + queued - len(self)
        return free if free > queued // 2 else 0

    def begin(self, rows: Sequence[Any], pool: ThreadPoolExecutor) -> None:
        """Hand rows to the threads."""
        for row in rows:
            self._open[row.pk, row.lease_number] = row
            self._to_call.put(row)
        while self._threads < min(len(self), self._concurrency):
            self._threads += 1
            pool.submit(copy_context().run, self._serve)

    def ended(self, *, timeout: float) -> list[Ended]:
        """Return the calls that have ended; wait up to so many seconds for the first."""
        found: list[Ended] = []
        try:
            while True:
                each = self._ended.get(timeout=0.0 if found else timeout)
                del self._open[each.row.pk, each.row.lease_number]
                if each.seconds is not None:
                    self._seconds += (each.seconds - self._seconds) / SMOOTHING
                found.append(each)
        except Empty:
            return found

    def let_threads_go(self) -> None:
        """Let each thread go when it has called what was handed over before."""
        for _ in range(self._threads):
            self._to_call.put(None)
        self._threads = 0

    def _serve(self) -> None:
        """Call row after row, in a thread of the pool, until told to go."""
        for row in iter(self._to_call.get, None):
            ended = self._call(row)
            self._ended.put(ended)
            if ended.closes_the_channel:
                self._hand_back()

    def _hand_back(self) -> None:
        """End what waits for a thread without a call: the provider would say the same again."""
        leaves = 0
        try:
            while True:
                row = self._to_call.get_nowait()
                if row is None:
                    leaves += 1
                else:
                    self._ended.put(Ended(row, called=False))
        except Empty:
            for _ in range(leaves):
                self._to_call.put(None)

    def _call(self, row: Any) -> Ended:
        """Send one row; whatever happens is told as an Ended."""
        began = time.monotonic()
        if began > min(row.leased_until, row.slot_until):
            return Ended(row, called=False)
        answer, failed = None, None
        try:
            answer = self._sender.send(row.message(), row.idempotency_key)
        except ProviderError as error:
            failed = error
        except Exception as error:
            # The drain loop's exception: a row that breaks its sender harms nobody behind it.
            table = row._meta.db_table
            logger.exception("%s %s broke its sender", table, row.pk, extra=about(row))
            failed = ProviderError(f"Sending broke: {type(error).__name__}.", cause=Cause.MESSAGE)
        seconds = time.monotonic() - began
        return Ended(row, answer, failed, seconds, told_rate=self._sender.told_rate())
