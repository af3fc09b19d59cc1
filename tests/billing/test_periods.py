"""Billing dates and periods: the dates of domain.md §4, and what a lock makes of a period."""

from datetime import date
from itertools import islice

import pytest

from billing.periods import (
    ONE_DAY,
    Move,
    Outcome,
    OutOfStep,
    Period,
    due_periods,
    next_billing_date,
    outcome_of,
    periods_after,
    raised_from,
    was_locked,
)

LEAD_DAYS = 5
ANCHORS = range(1, 32)


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
