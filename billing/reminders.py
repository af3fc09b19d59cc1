"""Which reminder of an invoice is due, and which access an unpaid one leaves a booking.

The days and thresholds are domain.md §5. Pure: dates and settings come as arguments.
"""

from collections.abc import Collection
from datetime import date, timedelta

from billing.models import StepTaken
from bookings.models import Booking

Step = StepTaken.Step
Access = Booking.Access

# Days after the due date, the earliest first.
DAYS = {Step.REMINDER: -3, Step.FINAL_REMINDER: -1, Step.OVERDUE: 1}


def days_late(due_on: date, on: date) -> int:
    """Return how many days after its due date an invoice stands; before it they are negative."""
    return (on - due_on).days


def step_due(due_on: date, on: date, taken: Collection[str] = ()) -> Step | None:
    """Return the step that a pending invoice is to take on a business date, or None.

    It is the latest whose day has come, so that missed days send one message. Once it was taken
    nothing is due, whatever was left out before it.
    """
    come = [step for step, days in DAYS.items() if days_late(due_on, on) >= days]
    return come[-1] if come and come[-1] not in taken else None


def due_dates(step: Step, on: date) -> tuple[date | None, date]:
    """Return the first and last due date of the invoices whose latest step is this one.

    Both are included; None is no bound. `step_due` says the same of one invoice.
    """
    last = on - timedelta(days=DAYS[step])
    later = [days for days in DAYS.values() if days > DAYS[step]]
    first = on - timedelta(days=min(later)) + timedelta(days=1) if later else None
    return first, last


def access_for(
    oldest_due_on: date | None, on: date, *, grace_after: int, lock_after: int
) -> Access:
    """Return the access of a booking whose oldest unpaid invoice was due then; None is no invoice.

    `grace_after` and `lock_after` are days after the due date (GRACE_AFTER_DAYS, LOCK_AFTER_DAYS).
    """
    if oldest_due_on is None:
        return Access.ACTIVE
    late = days_late(oldest_due_on, on)
    if late >= lock_after:
        return Access.LOCKED
    return Access.GRACE if late >= grace_after else Access.ACTIVE
