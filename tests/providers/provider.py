"""What every stand-in shares: ledger, faults, gate, waits. A provider adds its own protocol."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.providers.faults import Fault, Plan, Refusal, no_fault
from tests.providers.gate import Gate
from tests.providers.ledger import Accepted, Call, Ledger
from tests.providers.limits import Keys, Window
from tests.providers.wire import Answer, Delivery, Request, Wire

GLANCE = 0.02  # seconds between two looks whether the client is still there


@dataclass(frozen=True)
class Books:
    """What one test's calls leave behind; a late call never writes into the next test's."""

    ledger: Ledger = field(default_factory=Ledger)
    keys: Keys = field(default_factory=Keys)
    window: Window = field(default_factory=Window)
    released: threading.Event = field(default_factory=threading.Event)


class Provider:
    """What a test sets, and what it reads afterwards. `reset()` puts all of it back."""

    faults: Plan
    latency: float  # seconds before each answer to a call that sends
    gate: Gate | None

    def __init__(self) -> None:
        self._books = Books()
        self.gate = None
        self.reset()

    def owns(self, path: str) -> bool:
        raise NotImplementedError

    def sends(self, request: Request) -> bool:
        """Say whether this call asks for what must happen once; only such calls meet faults."""
        raise NotImplementedError

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        """Answer a call that sends, as the real one would; not `alone` means its key is in use."""
        raise NotImplementedError

    def read(self, request: Request, books: Books) -> Answer:
        """Answer any other call."""
        raise NotImplementedError

    def render(self, refusal: Refusal) -> Answer:
        """Return a refusal in this provider's shape."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything and behave; what still hangs ends now."""
        self.release()
        self._books = Books()
        self.faults, self.latency, self.gate = no_fault, 0.0, None

    def release(self) -> None:
        """Let every call go that waits here."""
        self._books.released.set()
        if self.gate is not None:
            self.gate.let_go()

    @property
    def ledger(self) -> Ledger:
        return self._books.ledger

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order in which they arrived."""
        return self.ledger.calls

    @property
    def accepted(self) -> list[Accepted]:
        """Every message taken so far."""
        return self.ledger.accepted

    def max_calls_in_any_second(self) -> int:
        return self.ledger.max_calls_in_any_second()

    def answer(self, request: Request) -> Delivery:
        books = self._books
        sends = self.sends(request)
        call = books.ledger.open(request, sends=sends)
        if sends:
            delivery = self._send(request, call, books)
        else:
            delivery = Delivery(self.read(request, books))
        books.ledger.close(call, delivery.answer if delivery.has_status else None)
        return delivery

    def _send(self, request: Request, call: Call, books: Books) -> Delivery:
        payload = parsed(request.body)
        fault = call.fault = self.faults(call.number, payload)
        with books.keys.in_flight(request.key) as alone:
            self._hold(call, is_after=False)
            answer = None
            if fault is None or fault.accepts:
                answer = self.process(request, payload, books, alone=alone)
                self._hold(call, is_after=True)
            delivery = self._spoiled(fault, answer)
            is_heard = waited(self.latency + (fault.wait if fault else 0), request, books)
        return delivery if is_heard else Delivery(delivery.answer, Wire.CLOSE)

    def _hold(self, call: Call, *, is_after: bool) -> None:
        gate = self.gate
        if gate is not None and gate.is_after == is_after:
            gate.hold(call.number)

    def _spoiled(self, fault: Fault | None, answer: Answer | None) -> Delivery:
        """Return the answer as the fault leaves it."""
        if fault is None:
            return Delivery(answer or Answer(500))
        if fault.refusal:
            answer = self.render(fault.refusal)
        return Delivery(fault.answer or answer or Answer(500), fault.wire, fault.pace)


def parsed(body: bytes) -> Any:
    """Return the JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def waited(seconds: float, request: Request, books: Books) -> bool:
    """Wait so long; return False as soon as the client has left or the test is over."""
    until = time.monotonic() + seconds
    while not request.client_left():
        left = until - time.monotonic()
        if left <= 0:
            return True
        if books.released.wait(min(left, GLANCE)):
            return False
    return False
