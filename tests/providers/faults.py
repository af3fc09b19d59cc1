"""Faults: one way for a call to go wrong, and plans that say which call gets which.

A plan is a callable `(call_number, payload) -> Fault | None`. Call numbers start at 1 and count
the calls that send.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from typing import Any

from tests.providers.wire import Answer, Wire


@dataclass(frozen=True)
class Refusal:
    """An error in the provider's own words; each provider renders it in its own shape."""

    status: int
    name: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What happens to one call; `accepts` says that the provider takes the message all the same."""

    label: str
    accepts: bool = False
    refusal: Refusal | None = None  # answered instead of the true answer
    answer: Answer | None = None  # likewise, byte for byte
    wait: float = 0.0  # seconds before the answer
    wire: Wire = Wire.WHOLE
    pace: float = 0.0  # seconds a byte

    def after_accepting(self) -> "Fault":
        """Return the same fault, striking after the message was accepted."""
        return replace(self, accepts=True)

    def before_accepting(self) -> "Fault":
        """Return the same fault, striking before the message is accepted."""
        return replace(self, accepts=False)

    @classmethod
    def error(cls, status: int, name: str, message: str, **headers: str) -> "Fault":
        """Answer with an error; `retry_after="3"` becomes the header `retry-after: 3`."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return cls(f"{status} {name}", refusal=Refusal(status, name, message, named))

    @classmethod
    def rate_limited(cls, *, retry_after: int | None = 1) -> "Fault":
        headers = {} if retry_after is None else {"retry_after": str(retry_after)}
        return cls.error(429, "rate_limit_exceeded", "Too many requests.", **headers)

    @classmethod
    def daily_quota(cls) -> "Fault":
        words = "You have reached your daily email sending quota."
        return cls.error(429, "daily_quota_exceeded", words)

    @classmethod
    def monthly_quota(cls) -> "Fault":
        words = "You have reached your monthly email sending quota."
        return cls.error(429, "monthly_quota_exceeded", words)

    @classmethod
    def server_error(cls) -> "Fault":
        return cls.error(500, "application_error", "An unexpected error occurred.")

    @classmethod
    def unavailable(cls) -> "Fault":
        return cls.error(503, "service_unavailable", "The service is temporarily unavailable.")

    @classmethod
    def html_502(cls) -> "Fault":
        page = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
        return cls("html 502", answer=Answer(502, page, "text/html"))

    @classmethod
    def wrong_json(cls) -> "Fault":
        """Accept, then answer 200 with JSON that has no id."""
        return cls("wrong json", accepts=True, answer=Answer(200, b'["surprise"]'))

    @classmethod
    def not_json(cls) -> "Fault":
        """Accept, then answer 200 with plain text."""
        return cls("not json", accepts=True, answer=Answer(200, b"OK, thank you", "text/plain"))

    @classmethod
    def late(cls, seconds: float) -> "Fault":
        """Accept, and answer rightly but late."""
        return cls("late", accepts=True, wait=seconds)

    @classmethod
    def hang(cls, seconds: float = 60) -> "Fault":
        """Say nothing for so long, or until the client leaves, then close."""
        return cls("hang", wait=seconds, wire=Wire.CLOSE)

    @classmethod
    def hang_after_accepting(cls, seconds: float = 60) -> "Fault":
        return replace(cls.hang(seconds), label="hang after accepting", accepts=True)

    @classmethod
    def reset_before_accepting(cls) -> "Fault":
        return cls("reset before accepting", wire=Wire.RESET)

    @classmethod
    def reset_after_accepting(cls) -> "Fault":
        return cls("reset after accepting", accepts=True, wire=Wire.RESET)

    @classmethod
    def half_an_answer(cls) -> "Fault":
        return cls("half an answer", accepts=True, wire=Wire.HALF)

    @classmethod
    def drip(cls, *, seconds_a_byte: float = 1.0) -> "Fault":
        """Accept, then write the body so slowly that no read time-out ever strikes."""
        return cls("drip", accepts=True, wire=Wire.DRIP, pace=seconds_a_byte)

    @classmethod
    def redirect(cls, location: str = "/elsewhere") -> "Fault":
        return cls("redirect", answer=Answer(302, headers={"Location": location}))


Plan = Callable[[int, Any], Fault | None]


def no_fault(_call_number: int, _payload: Any) -> Fault | None:
    """The plan of a healthy provider."""
    return None


def every(n: int, fault: Fault) -> Plan:
    """Strike calls n, 2n, 3n…"""
    return lambda call_number, _payload: fault if call_number % n == 0 else None


def always(fault: Fault) -> Plan:
    return lambda _call_number, _payload: fault


def by_turns(*faults: Fault | None) -> Plan:
    """Strike the calls with one fault after the other, again and again; None lets one pass."""
    return lambda call_number, _payload: faults[call_number % len(faults)]


def fail_next(*faults: Fault | None) -> Plan:
    """Strike the next calls, one fault each; None lets one pass."""
    left = list(faults)
    lock = threading.Lock()

    def plan(_call_number: int, _payload: Any) -> Fault | None:
        with lock:
            return left.pop(0) if left else None

    return plan


def for_address(address: str, fault: Fault) -> Plan:
    """Strike every call that has this recipient, alone or among others."""
    wanted = address.lower()
    return lambda _call_number, payload: fault if wanted in recipients(payload) else None


def first_of(*plans: Plan) -> Plan:
    """Ask the plans in turn; the first that names a fault wins."""

    def plan(call_number: int, payload: Any) -> Fault | None:
        return next((fault for each in plans if (fault := each(call_number, payload))), None)

    return plan


def recipients(payload: Any) -> list[str]:
    """Return the bare addresses, in lower case, that a send or a batch goes to."""
    items = payload if isinstance(payload, list) else [payload]
    found: list[Any] = []
    for item in items:
        to = item.get("to", []) if isinstance(item, dict) else []
        found += to if isinstance(to, list) else [to]
    return [parseaddr(str(mailbox))[1].lower() for mailbox in found]
