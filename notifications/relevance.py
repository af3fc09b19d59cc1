"""Whether a message still has a point, asked just before it is sent, by name."""

from collections.abc import Callable
from typing import Any

from egac.outbox import Irrelevant, Unsendable

Check = Callable[[dict[str, Any]], str | None]

CHECKS: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Let an app answer for its messages: why one lost its point, or None while it has one.

    The check is given the payload's `context`, or {} where there is none.
    """
    CHECKS[name] = check


def require(name: str) -> None:
    """Raise Unsendable for a name that nobody registered; no name asks for no check."""
    if name and name not in CHECKS:
        raise Unsendable(f"No check is called {name!r}, so nobody can say whether it has a point.")


def check(name: str, payload: Any) -> None:
    """Raise Irrelevant where the named check says why its message lost its point."""
    require(name)
    context = payload.get("context") if isinstance(payload, dict) else None
    if name and (why := CHECKS[name](context if isinstance(context, dict) else {})):
        raise Irrelevant(why)
