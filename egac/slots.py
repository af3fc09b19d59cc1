"""Leave to call: slots of a channel, granted on the database's clock and placed on ours.

All workers together begin at most rate + 1 calls in any second, for whole rates: slots lie
1 / (SLACK * rate) apart, whoever they are granted to. A call begins EARLY_SECONDS before its slot
at the most, and a leeway after it (Pacer.take, Calls); and a slot may stand a leeway too late on a
worker's clock (grant). So the calls of a second have slots within 1 s + w, where w is the sum of
the three: 17 ms and one spacing. As many as rate + 2 slots would need more than 20 ms and one
spacing beside that second. The 3 ms between are for workers that are not equally far from the
database, and for the network.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from egac.channels import PROBE_SECONDS, RATES, UNTOLD_RATE

# A little under the rate, so that slots and the network's jitter together stay within it.
SLACK = 0.98
EARLY_SECONDS = 0.001  # by which a call may begin before its slot: a wait so short is not worth it
LEEWAY_SECONDS = 0.008
UNREACHABLE_RATE = 10_000  # calls a second: no few workers make so many, so nothing is too late
TRIES = 3  # then the database is that far now

# Neither a slot nor a claim need outlive a crash of the server: their commit waits for no disk.
UNHURRIED = "unhurried AS (SELECT set_config('synchronous_commit', 'off', true))"
# Of the parameters of `asking`. The rate is that of Channel.rate: least() passes over what is NULL.
GRANT = f"""
UPDATE channels SET
  next_slot_at = greatest(next_slot_at, clock_timestamp())
    + CASE WHEN probing THEN 1 ELSE asked.count END * interval '1 second'
    / ({SLACK} * least(asked.most, coalesce(told_rate, asked.usual))),
  held_until = CASE WHEN probing
    THEN clock_timestamp() + {PROBE_SECONDS} * interval '1 second' END,
  probes = probes + probing::int
FROM unhurried, (VALUES (%s::int, %s::float, %s::float)) AS asked(count, most, usual)
WHERE name = %s AND paused_at IS NULL
  AND (held_until IS NULL OR held_until <= clock_timestamp()) AND {{only}}
RETURNING probing, failures, least(asked.most, coalesce(told_rate, asked.usual)) AS rate,
  extract(epoch FROM next_slot_at - clock_timestamp())::float AS seconds_to_end
"""


@dataclass(frozen=True)
class Slots:
    """Leave to call: `count` times of time.monotonic, evenly spaced."""

    first_at: float
    spacing: float
    count: int
    is_probe: bool
    is_healthy: bool  # no failure is counted against the channel
    round_trip: float  # seconds that the grant took


def leeway(spacing: float) -> float:
    """Return by how many seconds a call may miss its slot and not crowd the next ones."""
    if spacing * UNREACHABLE_RATE < 1:
        return math.inf
    return LEEWAY_SECONDS + min(spacing, 0.5) / 2


def grant(name: str, *, count: int, usual: float = 0.0) -> Slots | None:
    """Grant up to `count` slots, or None while the channel is closed.

    Somewhere in the round trip lies the instant on the database's clock. So where it took much
    longer than a `usual` one, in seconds, the slots may be misplaced: they are dropped and asked
    for anew, but for a probe, which crowds nobody.
    """
    slots = None
    for _ in range(TRIES):
        slots = _ask(name, count)
        if slots is None or slots.is_probe or slots.round_trip - usual <= leeway(slots.spacing):
            break
    return slots


def _ask(name: str, count: int) -> Slots | None:
    asked_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {UNHURRIED} {GRANT.format(only='true')}", asking(name, count=count))
        granted = cursor.fetchone()
    return placed(granted, count=count, asked_at=asked_at) if granted else None


def asking(name: str, *, count: int) -> list[Any]:
    """Return the parameters of GRANT for so many slots of a channel."""
    most = getattr(settings, RATES[name])
    return [count, most, most or UNTOLD_RATE, name]


def placed(granted: Sequence[Any], *, count: int, asked_at: float) -> Slots:
    """Return what GRANT has just returned, placed on this worker's clock."""
    answered_at = time.monotonic()
    is_probe, failures, rate, seconds_to_end = granted
    spacing = 1 / (rate * SLACK)
    count = 1 if is_probe else count
    return Slots(
        first_at=answered_at + seconds_to_end - count * spacing,
        spacing=spacing,
        count=count,
        is_probe=is_probe,
        is_healthy=not (is_probe or failures),
        round_trip=answered_at - asked_at,
    )
