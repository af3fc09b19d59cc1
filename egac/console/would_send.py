"""What a press would send: the rows as it would leave them, prepared by the code that sends.

Nothing is stored: the rows are copies, and what would become of them is looked at, not recorded.
"""

import json
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from egac.outbox import NEW_GENERATION
from egac.prepare import prepare, withheld
from egac.providers import Sender
from egac.record import Record


@dataclass(frozen=True)
class WouldSend:
    """One row: the message that would go, or the record with which it would end instead."""

    row: Any  # as the press would leave it
    message: Any = None
    ended: Record | None = None


def would_send(
    rows: Sequence[Any], *, sender_of: Callable[[Any], Sender], now: datetime
) -> list[WouldSend]:
    """Return what a send of these rows would do now, in their order."""
    retried = [as_retried(row, now) for row in rows]
    ended: dict[Any, Record] = {}
    for sender in {sender_of(row).channel: sender_of(row) for row in retried}.values():
        ours = [row for row in retried if sender_of(row).channel == sender.channel]
        ready, settled = prepare(ours, sender)
        ended |= {each.row.pk: each for each in [*settled, *withheld(ready)]}
    return [
        WouldSend(row, ended=ended[row.pk])
        if row.pk in ended
        else WouldSend(row, message=json.loads(row.rendered))
        for row in retried
    ]


def as_retried(row: Any, now: datetime) -> Any:
    """Return a copy of the row as a retry leaves it and a claim of this instant finds it.

    One that waits keeps what it was first tried with; every other begins a new generation.
    """
    retried = copy(row)
    retried.claimed_at, retried.due_at = now, None
    if row.status != row.Status.PENDING:
        retried.status, retried.generation = row.Status.PENDING, row.generation + 1
        vars(retried).update(NEW_GENERATION)
    return retried
