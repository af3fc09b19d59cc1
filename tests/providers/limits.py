"""What a provider remembers between calls: idempotency keys, and the calls of this second."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.providers.wire import Answer


class Keys:
    """Answers kept by idempotency key, and the keys whose first call is still being answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._kept: dict[str, tuple[str, Answer]] = {}

    @contextmanager
    def in_flight(self, key: str | None) -> Iterator[bool]:
        """Hold the key for the length of a call; yield False when another call holds it."""
        with self._lock:
            alone = key is None or key not in self._busy
            if alone and key is not None:
                self._busy.add(key)
        try:
            yield alone
        finally:
            if alone and key is not None:
                with self._lock:
                    self._busy.discard(key)

    def keep(self, key: str | None, mark: str, answer: Answer) -> None:
        if key is not None:
            with self._lock:
                self._kept[key] = (mark, answer)

    def kept(self, key: str | None) -> tuple[str, Answer] | None:
        """Return the fingerprint and the answer of the first call under this key."""
        with self._lock:
            return self._kept.get(key) if key is not None else None

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


def fingerprint(path: str, payload: Any) -> str:
    """Return what two calls must share to be the same call."""
    return json.dumps([path, payload], sort_keys=True)


class Window:
    """A fixed window of one second, as the `ratelimit-*` headers describe it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_at = 0.0
        self._used = 0

    def admit(self, limit: int | None) -> bool:
        """Count a call in; refuse it, uncounted, when the window is full."""
        with self._lock:
            self._roll()
            if limit is not None and self._used >= limit:
                return False
            self._used += 1
            return True

    def headers(self, limit: int) -> dict[str, str]:
        with self._lock:
            self._roll()
            left, seconds = max(0, limit - self._used), math.ceil(self._ends_at - time.monotonic())
        return {
            "ratelimit-limit": str(limit),
            "ratelimit-remaining": str(left),
            "ratelimit-reset": str(max(1, seconds)),
        }

    def _roll(self) -> None:
        now = time.monotonic()
        if now >= self._ends_at:
            self._ends_at, self._used = now + 1.0, 0
