"""A booking in words that a customer reads. Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bookings.models import Plan
from egac.money import in_words

DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
NOT_SET = "as agreed with you"
NO_DAY_YET = "the day that we agree with you"  # after "on"


def times_in_words(weekdays: Sequence[int], at: time | None, *, zone: str) -> str:
    """Return when classes are: `Tuesdays and Thursdays at 18:30 UK time`; 1 is Monday."""
    if not weekdays:
        return NOT_SET
    *others, last = [DAYS[day - 1] for day in sorted(set(weekdays))]
    days = f"{', '.join(others)} and {last}" if others else last
    return f"{days} at {at:%H:%M} {zone_in_words(zone)}" if at else days


def zone_in_words(zone: str) -> str:
    """Return how people call the time of a zone: `UK time`, `Kolkata time`."""
    if zone == "Europe/London":
        return "UK time"
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def first_class(
    weekdays: Sequence[int], at: time | None, *, after: datetime, zone: str
) -> datetime | None:
    """Return when the first class after an instant is, or None where days or time are not set."""
    if not weekdays or at is None:
        return None
    today = after.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=ahead) for ahead in range(8))
    starts = (
        datetime.combine(day, at, tzinfo=ZoneInfo(zone))
        for day in days
        if day.isoweekday() in weekdays
    )
    return next((start for start in starts if start > after), None)


def price_in_words(plan: str, price: Decimal, *, currency: str, tax_percent: Decimal) -> str:
    """Return a price: `£42.00 a month`, `£8.50 a class plus 20% tax`."""
    of = "a month" if plan == Plan.MONTHLY else "a class"
    tax = f" plus {tax_percent.normalize():f}% tax" if tax_percent else ""
    return f"{in_words(price, currency)} {of}{tax}"


def how_billed(plan: str, *, lead_days: int, due_days: int) -> str:
    """Return when an invoice comes and is to be paid, as one sentence."""
    if plan == Plan.MONTHLY:
        return f"We send you an invoice {_days(lead_days)} before each payment is due."
    return (
        "We send you an invoice the day after each class; "
        f"it is to be paid within {_days(due_days)}."
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
