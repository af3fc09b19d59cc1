"""Whether a message still has a point, asked just before it is sent, by name.

What a check has to know is read for many messages at once, so that a claim of a hundred, or a page
that shows a thousand, asks as often as one message does.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from egac.outbox import Irrelevant, Unsendable

Context = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """`look_up` reads what many contexts ask about; by it `why` answers for each."""

    look_up: Callable[[Sequence[Context]], Any]
    why: Callable[[Context, Any], str | None]


CHECKS: dict[str, Check] = {}


def register(
    name: str,
    why: Callable[[Context, Any], str | None],
    *,
    look_up: Callable[[Sequence[Context]], Any],
) -> None:
    """Let an app answer for its messages: why one lost its point, or None while it has one.

    `why` is given the payload's `context`, or {} where there is none, and what `look_up` found for
    all of them. A context may say anything: where `look_up` raises, nothing at all is sent.
    """
    CHECKS[name] = Check(look_up, why)


def require(name: str) -> None:
    """Raise Unsendable for a name that nobody registered; no name asks for no check."""
    if name and name not in CHECKS:
        raise Unsendable(f"No check is called {name!r}, so nobody can say whether it has a point.")


def note_on(rows: Sequence[Any]) -> None:
    """Note on each row with a check what the check looked up for all of its rows."""
    by_check = defaultdict(list)
    for row in rows:
        if row.relevance in CHECKS:
            by_check[row.relevance].append(row)
    for name, ours in by_check.items():
        found = CHECKS[name].look_up([_context(row) for row in ours])
        for row in ours:
            row.looked_up = found


def check(row: Any) -> None:
    """Raise Irrelevant where the row's check says why it lost its point, by what was noted."""
    require(row.relevance)
    if row.relevance and (why := CHECKS[row.relevance].why(_context(row), row.looked_up)):
        raise Irrelevant(why)


def _context(row: Any) -> Context:
    context = row.payload.get("context") if isinstance(row.payload, dict) else None
    return context if isinstance(context, dict) else {}
