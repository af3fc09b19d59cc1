"""The slots of a channel as one worker uses them: asked for a few at a time, dropped when late."""

import math
import time
from collections import deque
from collections.abc import Sequence

from egac import channels
from egac.providers import ProviderError
from egac.slots import EARLY_SECONDS, Slots, grant, leeway


class Pacer:
    """Hand out the channel's slots to one worker as their times come."""

    def __init__(self, name: str, *, until: float) -> None:
        """`until` is a time of time.monotonic: a hold that ends later is not waited for."""
        self.name = name
        self.closed = ""
        self._until = until
        self._opens_at = 0.0
        self._is_healthy = False
        self._slots: deque[float] = deque()
        self.leeway = 0.0  # by how many seconds a call may begin after its slot
        self._round_trip = 0.0
        self._look()

    @property
    def has_slots(self) -> bool:
        return bool(self._slots)

    def take(self, wanted: int) -> list[float]:
        """Return for each call that may begin now, up to `wanted`, until when it must have begun.

        These are times of time.monotonic; `closed` tells why none may. A slot that was missed by
        so much that using it could crowd the next ones is dropped.
        """
        while self._slots and time.monotonic() - self._slots[0] > self.leeway:
            self._slots.popleft()
        if not self._slots and wanted and time.monotonic() >= self._opens_at:
            self._ask(min(wanted, max(1, int(self.rate))))
        taken: list[float] = []
        now = time.monotonic() + EARLY_SECONDS
        while self._slots and len(taken) < wanted and self._slots[0] <= now:
            taken.append(self._slots.popleft() + self.leeway)
        return taken

    def keep(self, slots: Slots | None) -> None:
        """Keep what was granted with a claim, unless that took so long that it is misplaced."""
        if slots and slots.round_trip - self._round_trip <= leeway(slots.spacing):
            self._add(slots)

    def note(self, outcomes: Sequence[ProviderError | None]) -> None:
        """Tell the channel how calls ended; use no slot that was granted before it was closed."""
        if self._is_healthy and not any(outcomes):
            return
        channels.note(self.name, outcomes)
        if any(outcome and not outcome.cause.leaves_the_channel_well for outcome in outcomes):
            self._slots.clear()  # granted before the provider or the breaker closed the channel

    def hear(self, rate: float) -> None:
        """Keep what the provider says of its rate; use no slot that was spaced by another."""
        if rate == self._told_rate:
            return
        paced_by = self.rate
        channels.keep_told_rate(self.name, rate)
        self._look()
        if self.rate != paced_by:
            self._slots.clear()

    def seconds_to_next(self) -> float:
        """Return how long until the next slot, or until the channel may open."""
        next_at = self._slots[0] if self._slots else self._opens_at
        return max(0.0, next_at - time.monotonic())

    def _ask(self, count: int) -> None:
        slots = grant(self.name, count=count, usual=self._round_trip)
        if slots is None:
            self._look()
            return
        self._round_trip = min(self._round_trip, slots.round_trip)
        self._add(slots)

    def _add(self, slots: Slots) -> None:
        self._is_healthy = slots.is_healthy
        # A probe is alone: it crowds nobody, and the next one is a minute away.
        self.leeway = math.inf if slots.is_probe else leeway(slots.spacing)
        self._slots.extend(slots.first_at + n * slots.spacing for n in range(slots.count))

    def _look(self) -> None:
        """See how the channel stands: a short hold is waited for, a long one is told."""
        looked_at = time.monotonic()
        self.rate, self._told_rate, seconds = channels.look(self.name)
        self._round_trip = time.monotonic() - looked_at
        if seconds is None:
            return
        opens_at = time.monotonic() + seconds
        if seconds > channels.PATIENCE_SECONDS or opens_at > self._until:
            self.closed = channels.why_closed(self.name)  # "" where it opened since: then ask again
            return
        self._opens_at = opens_at
