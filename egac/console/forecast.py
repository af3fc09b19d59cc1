"""When the due messages of a channel are gone, or what holds them, in one sentence. Pure."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from egac.console.rates import calls_a_second
from egac.explain import clock

AT_ONCE = timedelta(minutes=1)  # nobody needs a time of day for what is done so soon
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Passes:
    """Bounded passes, where no worker runs without end: when they begin, and how far each goes."""

    first_at: datetime
    every: timedelta
    messages: int | None = None  # of one pass; None: as many as there are


@dataclass(frozen=True)
class Quota:
    """How many messages the provider takes a day, and of today's how many are left."""

    a_day: int
    left: int
    renews_at: datetime
    others: int = 0  # messages due elsewhere that draw on it too; they may all go first


@dataclass(frozen=True)
class Due:
    """The due messages of one channel, and what decides when they are gone."""

    messages: int
    calls: int  # that they take: a batch of e-mails is one
    rate: float  # calls a second
    held: str = ""  # why none goes until a person acts, as a sentence
    closed: str = ""  # why the channel is closed, as a sentence that says until when
    opens_at: datetime | None = None  # when it opens by itself
    passes: Passes | None = None
    quota: Quota | None = None
    noun: str = "message"  # what one of them is called


def forecast(due: Due, *, now: datetime) -> str:
    """Return when the last due message is sent if nothing fails, or what must happen first."""
    if not due.messages:
        return "Nothing is due."
    if due.held:
        return f"{_wait(due)}. {due.held}"
    done = f"{_by(done_at(due, now=now), now)} at {calls_a_second(due.rate)}."
    if due.opens_at:
        return f"{_wait(due)}. {due.closed} If it answers then: done {done}"
    if due.passes:
        done = f"the run of {clock(due.passes.first_at, now)} sends them, done {done}"
    else:
        done = f"done {done}"
    return f"{_are_due(due)}: {done} {_quota(due, now)}".rstrip()


def calls_for(*, in_batches: int, alone: int, batch: int) -> int:
    """Return how many calls so many messages take, some a batch at a time."""
    return math.ceil(in_batches / batch) + alone


def done_at(due: Due, *, now: datetime) -> datetime:
    """Return when the last due message is sent if nothing holds them and nothing fails."""
    starts_at = max(now, due.opens_at or now, due.passes.first_at if due.passes else now)
    return max(starts_at + _sending(due, due.messages), _done_within_quota(due))


def _sending(due: Due, messages: int) -> timedelta:
    """Return how long so many of the due messages take once they go."""
    calling = timedelta(seconds=due.calls / due.rate * messages / due.messages)
    if due.passes is None or due.passes.messages is None:
        return calling
    waits = math.ceil(messages / due.passes.messages) - 1
    return max(waits * due.passes.every, calling)


def _done_within_quota(due: Due) -> datetime:
    """Return when the last one is sent that waits for a quota of a later day, if any does."""
    beyond = _beyond_quota(due)
    if due.quota is None or not beyond:
        return datetime.min.replace(tzinfo=UTC)
    full_days, last = divmod(beyond - 1, due.quota.a_day)
    return due.quota.renews_at + full_days * DAY + _sending(due, min(last + 1, due.messages))


def _beyond_quota(due: Due) -> int:
    """Return which place beyond today's quota the last due message has, 0 for none."""
    return max(0, due.messages + due.quota.others - due.quota.left) if due.quota else 0


def _quota(due: Due, now: datetime) -> str:
    """Return in a sentence whether today's quota is enough, or "" where the provider has none."""
    if due.quota is None:
        return ""
    left = f"{due.quota.left:,} of {due.quota.a_day:,} left"
    if due.quota.others:
        left += f" and {due.quota.others:,} more due elsewhere"
    if waiting := min(_beyond_quota(due), due.messages):
        waits = "1 waits" if waiting == 1 else f"{waiting:,} wait"
        return (
            f"Today's quota is not enough, with {left}: {waits} for the next, from "
            f"{clock(due.quota.renews_at, now)}."
        )
    return f"Today's quota is enough, with {left}."


def _by(ends_at: datetime, now: datetime) -> str:
    return "within a minute" if ends_at - now < AT_ONCE else f"by {clock(ends_at, now)}"


def _are_due(due: Due) -> str:
    return f"1 {due.noun} is due" if due.messages == 1 else f"{_many(due)} are due"


def _wait(due: Due) -> str:
    return f"1 {due.noun} waits" if due.messages == 1 else f"{_many(due)} wait"


def _many(due: Due) -> str:
    return f"{due.messages:,} {due.noun}s"
