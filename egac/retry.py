"""When to try again. Pure: no clock, no settings, no database.

The rules are domain.md's: between attempts 1 min, 5 min, 30 min, 2 h, plus up to 20 % jitter and
never earlier than the provider's `retry-after`; a permanent error fails at once; a rate limit, a
recipient's limit, a used-up quota or a channel that is down costs no attempt; an unknown outcome is
repeated, as the same attempt, while the idempotency key protects. What was accepted under its key
is never sent under another. A recipient's limit that lasts for LONGEST_LIMIT ends the row: it may
never end by itself, and the message would grow old.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from egac.providers import Cause, ProviderError

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
JITTER = 0.2
LONGEST_LIMIT = timedelta(hours=72)  # Meta's own is of a day: so it was asked on three further days


class Reason(StrEnum):
    """Why a row ended failed (the first four) or cancelled."""

    PERMANENT = "permanent"
    EXHAUSTED = "exhausted"
    UNCERTAIN = "uncertain"
    INVALID = "invalid"
    IRRELEVANT = "irrelevant"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    BY_STAFF = "by_staff"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a row after a call that was not accepted."""

    delay: timedelta | None  # None: give up
    reason: Reason | None  # why it was given up
    counts: bool  # whether this call was an attempt
    in_doubt: bool  # whether the row may have been accepted


@dataclass(frozen=True)
class State:
    """Where a row stood before the call."""

    attempts: int
    limit: int
    repeats: int = 0  # calls made since the outcome of an attempt is unknown
    in_doubt: bool = False
    protected: bool = True  # a repeat under the same key cannot arrive twice
    limited_for: timedelta = timedelta()  # since its recipient's limit was told first


def judge(
    error: ProviderError, state: State, *, channel_is_down: bool = False, jitter: float = 0.0
) -> Verdict:
    """Return what becomes of a row whose call ended in `error`; `jitter` lies between 0 and 1."""
    unknown = error.cause is Cause.UNKNOWN
    in_doubt = state.in_doubt or unknown
    counts = not state.in_doubt
    if error.cause is Cause.KEY_IS_TAKEN:  # by its own bytes before they changed: it may be there
        return Verdict(None, Reason.UNCERTAIN, counts=counts, in_doubt=True)
    if error.permanent:
        return Verdict(None, Reason.PERMANENT, counts=counts, in_doubt=False)
    if in_doubt and not state.protected:
        return Verdict(None, Reason.UNCERTAIN, counts=counts, in_doubt=True)
    is_limited = error.cause is Cause.RECIPIENT_LIMIT
    if is_limited and not in_doubt and state.limited_for >= LONGEST_LIMIT:
        return Verdict(None, Reason.EXHAUSTED, counts=False, in_doubt=False)
    is_no_fault_of_the_row = channel_is_down and error.cause is Cause.UNAVAILABLE
    if is_limited or is_no_fault_of_the_row or error.cause.closes_the_channel:
        # A closed channel holds its rows back by itself; a recipient's limit holds nothing.
        tries = _tries_within(state.limited_for) if is_limited else 0
        delay = wait(tries, retry_after=error.retry_after, jitter=jitter)
        return Verdict(delay, None, counts=False, in_doubt=in_doubt)
    made = state.attempts + counts
    if made >= state.limit and not in_doubt:
        return Verdict(None, Reason.EXHAUSTED, counts=True, in_doubt=False)
    tries = made + state.repeats + state.in_doubt
    delay = wait(tries, retry_after=error.retry_after, jitter=jitter)
    return Verdict(delay, None, counts=counts, in_doubt=in_doubt)


def _tries_within(past: timedelta) -> int:
    """Return as how many tries a recipient's limit of that age counts: its waits grow with it."""
    return 1 + sum(past >= each for each in BACK_OFF)


def wait(tries: int, *, retry_after: float | None = None, jitter: float) -> timedelta:
    """Return how long to wait after so many tries; `retry_after` is in seconds."""
    back_off = BACK_OFF[min(tries, len(BACK_OFF)) - 1] if tries else timedelta()
    base = max(back_off, timedelta(seconds=retry_after or 0))
    return base * (1 + JITTER * jitter)
