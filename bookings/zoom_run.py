"""The calls of one run to Zoom: within the channel's slots, and none once the run is over."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from egac.pacer import Pacer
from egac.providers import ProviderError

T = TypeVar("T")


class RunIsOver(Exception):
    """No further call may begin: told to stop, out of time, or the channel is closed."""


@dataclass
class Run:
    """What one run has done, and the hosts who get no more meetings today."""

    pacer: Pacer
    until: float  # a time of time.monotonic, bounds when a call may begin
    stop: threading.Event
    results: list[dict[str, Any]] = field(default_factory=list)
    taken_back: list[dict[str, Any]] = field(default_factory=list)
    full_hosts: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return self.stop.is_set() or bool(self.pacer.closed) or time.monotonic() >= self.until

    def wait_for_a_slot(self, *, until: float = float("inf")) -> None:
        """Return when a call may begin; raise RunIsOver where none may before `until`."""
        while not self.is_over and time.monotonic() < until:
            if self.pacer.take(1):
                return
            self.stop.wait(self.pacer.seconds_to_next())
        raise RunIsOver

    def call(self, ask: Callable[[], T]) -> T:
        """Make one call and tell the channel how it ended; raise ProviderError."""
        try:
            answer = ask()
        except ProviderError as error:
            self.pacer.note([error])
            raise
        self.pacer.note([None])
        return answer
