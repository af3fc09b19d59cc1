"""The demo's rules: the local part of an address decides what becomes of its messages."""

import threading
from typing import Any

from tests.providers.faults import Fault, Plan, first_of, recipients
from tests.providers.resend import Resend


def behave_by_address(resend: Resend) -> None:
    """Refuse refused…, break broken…, fail flaky… and busy… once, delay slow…; accept the rest."""
    resend.refuses = refused_words
    resend.faults = first_of(
        for_local_part("broken", Fault.server_error()),
        first_time("flaky", Fault.server_error()),
        first_time("busy", Fault.rate_limited(retry_after=2)),
        for_local_part("slow", Fault.late(3)),
    )


def refused_words(address: str) -> str | None:
    if not address.startswith("refused"):
        return None
    return f"Invalid `to` field. The mailbox {address} does not exist."


def for_local_part(start: str, fault: Fault) -> Plan:
    return lambda _call_number, payload: fault if _matching(payload, start) else None


def first_time(start: str, fault: Fault) -> Plan:
    """Strike the first call to each address that starts so, and let its later calls pass."""
    seen: set[str] = set()
    lock = threading.Lock()

    def plan(_call_number: int, payload: Any) -> Fault | None:
        with lock:
            fresh = _matching(payload, start) - seen
            seen.update(fresh)
        return fault if fresh else None

    return plan


def _matching(payload: Any, start: str) -> set[str]:
    return {address for address in recipients(payload) if address.startswith(start)}
