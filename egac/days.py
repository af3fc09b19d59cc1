"""Business dates and times as people read them, in the club's zone (BUSINESS_TIME_ZONE). Pure."""

from datetime import date, datetime, time
from functools import lru_cache

from django.utils.timezone import localtime, make_aware

# The days that people may name: beyond them lies a slip of the hand, or the end of the calendar.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)


def business_date(instant: datetime) -> date:
    """Return the date that an instant falls on in the club's zone."""
    return localtime(instant).date()


def start_of(on: date) -> datetime:
    """Return the first instant of a business date."""
    return make_aware(datetime.combine(on, time.min))


@lru_cache(maxsize=1024)  # a run says the same few days of thousands of invoices
def day_in_words(on: date) -> str:
    """Return a date with its weekday: `Friday 27 November 2026`."""
    return f"{on:%A %-d %B %Y}"


def instant_in_words(at: datetime) -> str:
    """Return a time with its day and zone: `Tuesday 1 December 2026 at 18:30 GMT`."""
    return f"{localtime(at):%A %-d %B %Y at %H:%M %Z}"


@lru_cache(maxsize=1024)
def span_in_words(starts_on: date, ends_on: date) -> str:
    """Return a period, both days included: `27 November to 26 December 2026`."""
    first = f"{starts_on:%-d %B}" if starts_on.year == ends_on.year else f"{starts_on:%-d %B %Y}"
    return f"{first} to {ends_on:%-d %B %Y}"
