"""When a monthly booking is billed (domain.md §4): billing dates, periods, what is due. Pure."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import takewhile

MOST_TO_CATCH_UP = 2  # periods; more are for a person
ONE_DAY = timedelta(days=1)


class OutOfStep(Exception):
    """The day from which a booking is to be billed is no billing date of its anchor."""


@dataclass(frozen=True, order=True)
class Period:
    """From a billing date, on which it is due, to the day before the next; both included."""

    starts_on: date
    ends_on: date

    def overlaps(self, other: "Period") -> bool:
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on


@dataclass(frozen=True)
class Move:
    """A business date on which a booking was locked or ceased to be."""

    on: date
    was_locked: bool
    is_locked: bool


class Outcome(Enum):
    """What becomes of a period that is due."""

    BILL = "bill"
    WAIVE = "waive"
    WAIT = "wait"


def billing_date(anchor_day: int, *, year: int, month: int) -> date:
    """Return the billing date of a month: the anchor's day, or the month's last before it."""
    return date(year, month, min(anchor_day, monthrange(year, month)[1]))


def next_billing_date(anchor_day: int, *, after: date) -> date:
    """Return the first billing date after a day."""
    this_month = billing_date(anchor_day, year=after.year, month=after.month)
    if this_month > after:
        return this_month
    year, month = (after.year + 1, 1) if after.month == 12 else (after.year, after.month + 1)
    return billing_date(anchor_day, year=year, month=month)


def periods_after(billed_through_on: date, *, anchor_on: date) -> Iterator[Period]:
    """Yield one period after the other from the day after `billed_through_on`, for ever.

    Nothing is billed before the anchor itself. Raises OutOfStep where that day is no billing date:
    a part of a month has no price.
    """
    starts_on = max(billed_through_on + ONE_DAY, anchor_on)
    if starts_on != billing_date(anchor_on.day, year=starts_on.year, month=starts_on.month):
        raise OutOfStep
    while True:
        following = next_billing_date(anchor_on.day, after=starts_on)
        yield Period(starts_on, following - ONE_DAY)
        starts_on = following


def due_periods(
    billed_through_on: date, *, anchor_on: date, on: date, lead_days: int
) -> Iterator[Period]:
    """Yield the periods to be raised on a day, the earliest first; missed ones are among them.

    A period is raised once today ≥ its billing date − `lead_days`. Raises OutOfStep.
    """
    last = on + timedelta(days=lead_days)
    periods = periods_after(billed_through_on, anchor_on=anchor_on)
    return takewhile(lambda period: period.starts_on <= last, periods)


def raised_from(period: Period, *, lead_days: int) -> date:
    """Return the first day on which a period is raised."""
    return period.starts_on - timedelta(days=lead_days)


def was_locked(on: date, *, moves: Sequence[Move], is_locked: bool) -> bool:
    """Return whether a booking was locked as a business date began.

    `moves` are its moves of access, the earliest first; without any it is as it always was.
    """
    before = [move for move in moves if move.on < on]
    if before:
        return before[-1].is_locked
    return moves[0].was_locked if moves else is_locked


def outcome_of(
    period: Period, *, on: date, moves: Sequence[Move] = (), is_locked: bool = False
) -> Outcome:
    """Return what becomes of a due period on a day.

    One whose billing date falls while the booking is locked is waived. Before that date nobody
    knows yet, so a locked booking waits for it: who pays in time is billed as everybody is.
    """
    if period.starts_on > on:
        return Outcome.WAIT if is_locked else Outcome.BILL
    locked_then = was_locked(period.starts_on, moves=moves, is_locked=is_locked)
    return Outcome.WAIVE if locked_then else Outcome.BILL
