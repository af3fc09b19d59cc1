"""Which step of an invoice is due on a day, and which access its lateness leaves."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from billing.models import StepTaken
from billing.reminders import DAYS, access_for, due_dates, step_due
from bookings.models import Booking

Step, Access = StepTaken.Step, Booking.Access
DUE = date(2026, 11, 27)
days = some.integers(-400, 400)


def after(count: int) -> date:
    """Return the day so many days after the due date."""
    return DUE + timedelta(days=count)


def is_within(window: tuple[date | None, date]) -> bool:
    first, last = window
    return (first is None or first <= DUE) and last >= DUE


@pytest.mark.parametrize(
    ("late", "step"),
    [
        (-30, None),
        (-4, None),
        (-3, Step.REMINDER),
        (-2, Step.REMINDER),
        (-1, Step.FINAL_REMINDER),
        (0, Step.FINAL_REMINDER),
        (1, Step.OVERDUE),
        (8, Step.OVERDUE),
        (300, Step.OVERDUE),
    ],
)
def test_the_latest_step_whose_day_has_come_is_due(late: int, step: Step | None) -> None:
    assert step_due(DUE, after(late)) == step


@pytest.mark.parametrize(
    ("late", "taken", "step"),
    [
        (-3, [Step.REMINDER], None),
        (-2, [Step.REMINDER], None),
        (-1, [Step.REMINDER], Step.FINAL_REMINDER),
        (-1, [Step.FINAL_REMINDER], None),
        (1, [Step.REMINDER, Step.FINAL_REMINDER], Step.OVERDUE),
        (1, [Step.OVERDUE], None),
        (-2, [Step.OVERDUE], Step.REMINDER),  # its due date was far off when that was taken
    ],
)
def test_a_step_is_taken_once_and_an_earlier_one_is_not_made_up_for(
    late: int, taken: list[Step], step: Step | None
) -> None:
    assert step_due(DUE, after(late), taken) == step


@given(looked_at=some.sets(some.integers(-40, 60)))
@settings(deadline=None, max_examples=60)
def test_missed_days_send_one_message_and_no_step_comes_twice(looked_at: set[int]) -> None:
    taken: list[Step] = []

    for late in sorted(looked_at):
        if step := step_due(DUE, after(late), taken):
            taken.append(step)

    last_day_of = {Step.REMINDER: -2, Step.FINAL_REMINDER: 0, Step.OVERDUE: 60}
    expected = [
        step
        for step, first in DAYS.items()
        if any(first <= late <= last_day_of[step] for late in looked_at)
    ]
    assert taken == expected


@given(late=days)
@settings(deadline=None, max_examples=100)
def test_the_window_of_due_dates_holds_exactly_the_invoices_whose_step_it_is(late: int) -> None:
    on = after(late)

    found = [step for step in DAYS if is_within(due_dates(step, on))]

    assert found == ([step] if (step := step_due(DUE, on)) else [])


@pytest.mark.parametrize(
    ("late", "access"),
    [
        (None, Access.ACTIVE),
        (-5, Access.ACTIVE),
        (7, Access.ACTIVE),
        (8, Access.GRACE),
        (10, Access.GRACE),
        (11, Access.LOCKED),
        (200, Access.LOCKED),
    ],
)
def test_access_follows_the_days_of_the_oldest_unpaid_invoice(
    late: int | None, access: Access
) -> None:
    oldest = None if late is None else DUE

    assert access_for(oldest, after(late or 0), grace_after=8, lock_after=11) == access


@given(late=days, grace=some.integers(1, 30), more=some.integers(1, 30))
@settings(deadline=None, max_examples=100)
def test_a_later_day_never_leaves_more_access(late: int, grace: int, more: int) -> None:
    order = [Access.ACTIVE, Access.GRACE, Access.LOCKED]
    thresholds = {"grace_after": grace, "lock_after": grace + more}

    today = access_for(DUE, after(late), **thresholds)
    tomorrow = access_for(DUE, after(late + 1), **thresholds)

    assert order.index(today) <= order.index(tomorrow)
    assert (today is Access.ACTIVE) == (late < grace)
