"""Every call that arrived and every message that was accepted: the judge of "exactly once"."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.providers.faults import Fault
from tests.providers.wire import Answer, Request


@dataclass(frozen=True)
class Accepted:
    """One message taken by the provider; `at` is monotonic, `wall` is aware and in UTC."""

    id: str
    key: str | None
    payload: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Call:
    """One request; `finished_at` is None while it is open, `status` also if no answer came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int  # 1, 2, 3… among the calls that send; 0 for the others
    started_at: float = field(default_factory=time.monotonic)
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: float | None = None
    status: int | None = None
    name: str = ""  # the provider's word for the error
    fault: Fault | None = None


class Ledger:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._accepted: list[Accepted] = []
        self._sends = 0
        self.on_accepted: Callable[[list[Accepted]], object] = len  # called with the ledger locked

    @property
    def calls(self) -> list[Call]:
        """The calls so far, in the order in which they arrived."""
        with self._lock:
            return list(self._calls)

    @property
    def accepted(self) -> list[Accepted]:
        with self._lock:
            return list(self._accepted)

    def open(self, request: Request, *, sends: bool) -> Call:
        with self._lock:
            self._sends += sends
            number = self._sends if sends else 0
            call = Call(request.method, request.path, request.headers, request.body, number)
            self._calls.append(call)
        return call

    def close(self, call: Call, answer: Answer | None) -> None:
        """Write down how the call ended; without an answer its status stays None."""
        with self._lock:
            call.finished_at = time.monotonic()
            if answer is not None:
                call.status, call.name = answer.status, answer.name

    def accept(
        self, payloads: list[dict[str, Any]], *, key: str | None, prefix: str = ""
    ) -> list[Accepted]:
        """Take the messages; `prefix` begins their ids, as the provider's own do."""
        taken = [
            Accepted(id=f"{prefix}{uuid.uuid4()}", key=key, payload=payload) for payload in payloads
        ]
        self.take(taken)
        return taken

    def take(self, messages: list[Accepted]) -> None:
        """Add messages that were accepted."""
        with self._lock:
            self._accepted += messages
            self.on_accepted(messages)

    def find(self, message_id: str) -> Accepted | None:
        return next((message for message in self.accepted if message.id == message_id), None)

    def max_calls_in_any_second(self) -> int:
        """Return the largest number of calls that started within one second, wherever it begins."""
        starts = sorted(call.started_at for call in self.calls)
        most = first = 0
        for last, start in enumerate(starts):
            while start - starts[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most
