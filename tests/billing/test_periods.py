"""Billing dates and periods: the dates of domain.md §4, and every anchor over seven years."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from billing.periods import (
    MOST_TO_CATCH_UP,
    ONE_DAY,
    Move,
    Outcome,
    OutOfStep,
    Period,
    billing_date,
    due_periods,
    next_billing_date,
    outcome_of,
    periods_after,
    raised_from,
    was_locked,
)
from egac.days import business_date

LEAD_DAYS = 5
ANCHORS = range(1, 32)
ZONES = ("Europe/London", "Asia/Kolkata")
FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
TWO_MONTHS = timedelta(days=55)  # the shortest two, less the lead
DAYS = (LAST - FIRST).days + 1


def at_two(zone: str) -> list[date]:
    """Return the business date of each nightly run, at 02:00 UTC, from FIRST to LAST."""
    with timezone.override(ZoneInfo(zone)):
        night = datetime(2024, 1, 1, 2, tzinfo=UTC)
        return [business_date(night + timedelta(days=n)) for n in range(DAYS)]


def anchored(day: int) -> date:
    """Return an anchor on this day of the month, in December 2023."""
    return date(2023, 12, day)


@dataclass
class Simulated:
    """A monthly booking, its runs done by the rule alone; a period is kept with its run's day."""

    anchor_on: date
    billed_through_on: date
    moves: Sequence[Move] = ()
    billed: list[tuple[Period, date]] = field(default_factory=list)
    waived: list[tuple[Period, date]] = field(default_factory=list)
    reported_on: list[date] = field(default_factory=list)

    def run(self, on: date) -> None:
        due = due_periods(
            self.billed_through_on, anchor_on=self.anchor_on, on=on, lead_days=LEAD_DAYS
        )
        chosen = list(islice(due, MOST_TO_CATCH_UP + 1))
        if len(chosen) > MOST_TO_CATCH_UP:
            self.reported_on.append(on)
            return
        for period in chosen:
            if not self.settle(period, on):
                return

    def settle(self, period: Period, on: date) -> bool:
        is_locked = was_locked(on + ONE_DAY, moves=self.moves, is_locked=False)
        known = [move for move in self.moves if move.on <= on]
        outcome = outcome_of(period, on=on, moves=known, is_locked=is_locked)
        if outcome is Outcome.WAIT:
            return False
        kept = self.billed if outcome is Outcome.BILL else self.waived
        kept.append((period, on))
        self.billed_through_on = period.ends_on
        return True

    @property
    def settled(self) -> list[Period]:
        return sorted(period for period, _ in self.billed + self.waived)


def a_booking(day: int, moves: Sequence[Move] = ()) -> Simulated:
    """Return a booking that is billed through the day before FIRST's first billing date."""
    anchor_on = anchored(day)
    return Simulated(anchor_on, billing_date(day, year=2024, month=1) - ONE_DAY, moves)


def assert_seamless(periods: Sequence[Period]) -> None:
    """Fail where a day lies in no period or in two."""
    assert all(period.starts_on <= period.ends_on for period in periods)
    assert all(one.ends_on + ONE_DAY == other.starts_on for one, other in pairwise(periods))


def longest_silence(nights: Sequence[date]) -> timedelta:
    return max(later - earlier for earlier, later in pairwise(nights))


# The dates of the domain


@pytest.mark.parametrize(
    ("anchor_day", "due_on", "raised_on"),
    [
        (31, date(2026, 1, 31), date(2026, 1, 26)),
        (31, date(2026, 2, 28), date(2026, 2, 23)),
        (31, date(2028, 2, 29), date(2028, 2, 24)),
        (31, date(2026, 3, 31), date(2026, 3, 26)),
        (31, date(2026, 4, 30), date(2026, 4, 25)),
        (1, date(2026, 2, 1), date(2026, 1, 27)),
        (3, date(2026, 3, 3), date(2026, 2, 26)),
        (3, date(2028, 3, 3), date(2028, 2, 27)),
        (15, date(2026, 1, 15), date(2026, 1, 10)),
        (1, date(2027, 1, 1), date(2026, 12, 27)),
    ],
)
def test_a_period_is_due_on_its_billing_date_and_raised_five_days_before(
    anchor_day: int, due_on: date, raised_on: date
) -> None:
    anchor_on = date(2023, 12, anchor_day)

    [period] = due_periods(due_on - ONE_DAY, anchor_on=anchor_on, on=raised_on, lead_days=LEAD_DAYS)
    too_early = due_periods(
        due_on - ONE_DAY, anchor_on=anchor_on, on=raised_on - ONE_DAY, lead_days=LEAD_DAYS
    )

    assert period.starts_on == due_on
    assert raised_from(period, lead_days=LEAD_DAYS) == raised_on
    assert list(too_early) == []


def test_a_period_ends_the_day_before_the_next_and_december_rolls_the_year() -> None:
    periods = periods_after(date(2026, 11, 30), anchor_on=date(2026, 10, 31))

    with pytest.raises(OutOfStep):
        next(periods)
    assert list(islice(periods_after(date(2026, 11, 29), anchor_on=date(2026, 10, 31)), 4)) == [
        Period(date(2026, 11, 30), date(2026, 12, 30)),
        Period(date(2026, 12, 31), date(2027, 1, 30)),
        Period(date(2027, 1, 31), date(2027, 2, 27)),
        Period(date(2027, 2, 28), date(2027, 3, 30)),
    ]


def test_nothing_is_billed_before_the_anchor() -> None:
    first = next(periods_after(date(2026, 1, 31), anchor_on=date(2026, 7, 15)))

    assert first == Period(date(2026, 7, 15), date(2026, 8, 14))


@pytest.mark.parametrize("day", [date(2026, 7, 20), date(2026, 7, 13), date(2026, 7, 15)])
def test_a_part_of_a_month_has_no_price(day: date) -> None:
    with pytest.raises(OutOfStep):
        next(periods_after(day, anchor_on=date(2026, 1, 15)))


@pytest.mark.parametrize("anchor_day", ANCHORS)
def test_a_billing_date_is_the_anchors_day_or_the_last_of_the_month(anchor_day: int) -> None:
    day, dates = date(2023, 12, 31), []
    while len(dates) < 84:
        day = next_billing_date(anchor_day, after=day)
        dates.append(day)

    assert [(each.year, each.month) for each in dates] == [
        (year, month) for year in range(2024, 2031) for month in range(1, 13)
    ]
    for each in dates:
        is_last = (each + ONE_DAY).month != each.month
        assert each.day == anchor_day or (is_last and each.day < anchor_day)


# Every anchor, 2024 to 2030, both zones


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("anchor_day", ANCHORS)
def test_14_each_period_is_billed_once_and_raised_on_the_first_day_of_its_window(
    anchor_day: int, zone: str
) -> None:
    booking = a_booking(anchor_day)

    for on in at_two(zone):
        booking.run(on)

    assert_seamless(booking.settled)
    assert booking.billed[-1][0].ends_on >= LAST
    assert booking.waived == booking.reported_on == []
    for period, raised_on in booking.billed:
        assert raised_on == max(FIRST, raised_from(period, lead_days=LEAD_DAYS))


runs = some.lists(some.integers(0, DAYS - 1), max_size=60)
days_of_lock = some.lists(some.dates(FIRST, LAST), max_size=12, unique=True).map(sorted)


def locks_and_releases(days: Sequence[date]) -> list[Move]:
    """Return moves on these days: locked, free, locked…"""
    return [Move(day, bool(n % 2), not n % 2) for n, day in enumerate(days)]


@settings(deadline=None, max_examples=30)
@given(
    anchor_day=some.integers(1, 31),
    zone=some.sampled_from(ZONES),
    missed=some.sets(some.integers(0, DAYS - 2), max_size=600),
    gap=some.tuples(some.integers(0, DAYS), some.integers(0, 50)),
    times=some.sampled_from([1, 2, 8]),
)
def test_14_whatever_nights_are_missed_each_period_is_billed_once_on_the_next_run(
    anchor_day: int, zone: str, missed: set[int], gap: tuple[int, int], times: int
) -> None:
    away = missed | set(range(gap[0], min(sum(gap), DAYS - 1)))
    nights = [night for n, night in enumerate(at_two(zone)) if n not in away]
    assume(longest_silence(nights) < TWO_MONTHS)
    booking = a_booking(anchor_day)

    for on in (night for night in nights for _ in range(times)):
        booking.run(on)

    assert booking.reported_on == booking.waived == []
    assert_seamless(booking.settled)
    assert booking.settled[-1].ends_on >= LAST
    for period, raised_on in booking.billed:
        window = raised_from(period, lead_days=LEAD_DAYS)
        assert raised_on == next(night for night in nights if night >= window)


@settings(deadline=None, max_examples=30)
@given(
    anchor_day=some.integers(1, 31),
    missed=some.sets(some.integers(0, DAYS - 1), max_size=600),
    locked=days_of_lock,
)
def test_14_a_period_is_billed_or_waived_as_it_stood_on_its_billing_date(
    anchor_day: int, missed: set[int], locked: list[date]
) -> None:
    moves = locks_and_releases(locked)
    nights = [night for n, night in enumerate(at_two(ZONES[0])) if n not in missed]
    assume(longest_silence(nights) < TWO_MONTHS)
    booking = a_booking(anchor_day, moves)

    for on in nights:
        booking.run(on)

    assert_seamless(booking.settled)
    for period, raised_on in booking.billed:
        assert raised_on >= raised_from(period, lead_days=LEAD_DAYS)
        is_early = raised_on < period.starts_on
        assert is_early or not was_locked(period.starts_on, moves=moves, is_locked=False)
    for period, raised_on in booking.waived:
        assert raised_on >= period.starts_on
        assert was_locked(period.starts_on, moves=moves, is_locked=False)


@settings(deadline=None, max_examples=60)
@given(anchor_day=some.integers(1, 31), order=runs)
def test_14_runs_in_any_order_bill_what_one_run_of_the_last_day_bills(
    anchor_day: int, order: list[int]
) -> None:
    first = billing_date(anchor_day, year=2024, month=1)
    days = [first + timedelta(days=n % 55) for n in order] or [first]
    shuffled, once = a_booking(anchor_day), a_booking(anchor_day)

    for on in days:
        shuffled.run(on)
    once.run(max(days))

    assert shuffled.settled == once.settled


def test_more_than_two_periods_to_catch_up_are_reported_and_none_is_billed() -> None:
    booking = a_booking(15)

    booking.run(date(2024, 3, 11))

    assert (booking.settled, booking.reported_on) == ([], [date(2024, 3, 11)])


# Locks


B = date(2026, 3, 15)
PERIOD = Period(B, date(2026, 4, 14))


@pytest.mark.parametrize(
    ("moves", "is_locked", "locked_then"),
    [
        ([], False, False),
        ([], True, True),
        ([Move(B - ONE_DAY, False, True)], True, True),
        ([Move(B, False, True)], True, False),  # it was locked in the course of that day
        ([Move(B - 2 * ONE_DAY, False, True), Move(B - ONE_DAY, True, False)], False, False),
        ([Move(B - 9 * ONE_DAY, False, True), Move(B + ONE_DAY, True, False)], False, True),
        ([Move(B + ONE_DAY, True, False)], False, True),
    ],
)
def test_what_counts_is_whether_it_was_locked_as_the_billing_date_began(
    moves: list[Move], is_locked: bool, locked_then: bool
) -> None:
    assert was_locked(B, moves=moves, is_locked=is_locked) is locked_then


@pytest.mark.parametrize(
    ("on", "is_locked", "outcome"),
    [
        (B - 5 * ONE_DAY, False, Outcome.BILL),
        (B - 5 * ONE_DAY, True, Outcome.WAIT),
        (B - ONE_DAY, True, Outcome.WAIT),
        (B, True, Outcome.WAIVE),
        (B + 20 * ONE_DAY, True, Outcome.WAIVE),
        (B, False, Outcome.BILL),
    ],
)
def test_a_locked_booking_waits_for_its_billing_date_and_is_waived_then(
    on: date, is_locked: bool, outcome: Outcome
) -> None:
    assert outcome_of(PERIOD, on=on, is_locked=is_locked) is outcome
