"""The slots of a channel as one worker uses them: asked for a few at a time, dropped when late."""

import time
from collections import deque
from collections.abc import Sequence

from egac import channels
from egac.providers import ProviderError

# At a high rate slots for so long, but not more than so many, are asked for at once, used or not.
SPARE_SECONDS, MOST_SPARE = 0.005, 200


class Pacer:
    """Hand out the channel's slots to one worker as their times come."""

    def __init__(self, name: str, *, until: float) -> None:
        """`until` is a time of time.monotonic: a hold that ends later is not waited for."""
        self.name = name
        self.rate = channels.named(name).rate
        self.closed = ""
        self._until = until
        self._opens_at = 0.0
        self._is_healthy = False
        self._slots: deque[float] = deque()
        self._look()

    def take(self, wanted: int) -> int:
        """Return how many calls may begin now, up to `wanted`; `closed` tells why none may.

        A slot that was missed by so much that using it could crowd the next ones is dropped.
        """
        while self._slots and time.monotonic() - self._slots[0] > 0.01 + 0.5 / self.rate:
            self._slots.popleft()
        if not self._slots and wanted and time.monotonic() >= self._opens_at:
            spare = min(int(self.rate * SPARE_SECONDS), MOST_SPARE)
            self._ask(max(1, min(int(self.rate), max(wanted, spare))))
        taken = 0
        while self._slots and taken < wanted and self._slots[0] <= time.monotonic():
            self._slots.popleft()
            taken += 1
        return taken

    def note(self, outcomes: Sequence[ProviderError | None]) -> None:
        """Tell the channel how calls ended; use no slot that was granted before it was closed."""
        if self._is_healthy and not any(outcomes):
            return
        channels.note(self.name, outcomes)
        if any(outcome and not outcome.cause.leaves_the_channel_well for outcome in outcomes):
            self._slots.clear()  # granted before the provider or the breaker closed the channel

    def seconds_to_next(self) -> float:
        """Return how long until the next slot, or until the channel may open."""
        next_at = self._slots[0] if self._slots else self._opens_at
        return max(0.0, next_at - time.monotonic())

    def _ask(self, count: int) -> None:
        slots = channels.grant(self.name, count=count)
        if slots is None:
            self._look()
            return
        self._is_healthy = slots.is_healthy
        self._slots.extend(slots.first_at + n * slots.spacing for n in range(slots.count))

    def _look(self) -> None:
        """See whether the channel is closed: a short hold is waited for, a long one is told."""
        seconds = channels.seconds_closed(self.name)
        if seconds is None:
            return
        opens_at = time.monotonic() + seconds
        if seconds > channels.PATIENCE_SECONDS or opens_at > self._until:
            self.closed = channels.why_closed(self.name)  # "" where it opened since: then ask again
            return
        self._opens_at = opens_at
