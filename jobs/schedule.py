"""Cron expressions in UTC: the run before and after an instant, and a schedule in words. Pure.

The five fields as cron, pg_cron and GitHub all read them: `*`, numbers, ranges, steps, lists. What
only some of them know (names, `@daily`, 7 for Sunday) is refused.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
DAY = timedelta(days=1)
MOST_DAYS = 8 * 366 + 1  # between two 29ths of February, where a century has none
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Schedule:
    """A cron expression, read: the times of a day and the days that it names."""

    times: tuple[time, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday

    def names(self, on: date) -> bool:
        """Whether it runs on that day."""
        weekday = on.isoweekday() % 7
        return on.month in self.months and on.day in self.days and weekday in self.weekdays


def next_run(expression: str, after: datetime) -> datetime:
    """Return the first run later than an instant; raise ValueError for an unknown expression."""
    schedule, after = parse(expression), after.astimezone(UTC)
    later = schedule.times[bisect_right(schedule.times, after.time()) :]
    if later and schedule.names(after.date()):
        return _at(after.date(), later[0])
    return _at(_day_from(expression, after.date(), DAY), schedule.times[0])


def previous_run(expression: str, at: datetime) -> datetime:
    """Return the last run not later than an instant; raise ValueError for an unknown expression."""
    schedule, at = parse(expression), at.astimezone(UTC)
    earlier = schedule.times[: bisect_right(schedule.times, at.time())]
    if earlier and schedule.names(at.date()):
        return _at(at.date(), earlier[-1])
    return _at(_day_from(expression, at.date(), -DAY), schedule.times[-1])


def _day_from(expression: str, start: date, step: timedelta) -> date:
    """Return the nearest day that the expression names, beyond `start`."""
    schedule = parse(expression)
    for count in range(1, MOST_DAYS):
        if schedule.names(on := start + count * step):
            return on
    raise ValueError(f"The schedule {expression!r} names no day that there is.")


def _at(on: date, clock: time) -> datetime:
    return datetime.combine(on, clock, tzinfo=UTC)


@lru_cache
def parse(expression: str) -> Schedule:
    """Read a cron expression; raise ValueError with a sentence for what is not understood.

    A day of the month together with a weekday is refused: cron then runs on either, which nobody
    expects who reads it.
    """
    texts = expression.split()
    if len(texts) != len(FIELDS):
        raise ValueError(f"The schedule {expression!r} has {len(texts)} fields; write five.")
    minutes, hours, days, months, weekdays = (
        _numbers(text, *field) for text, field in zip(texts, FIELDS, strict=True)
    )
    if texts[2] != "*" and texts[4] != "*":
        raise ValueError(f"The schedule {expression!r} names days and weekdays; write one of them.")
    times = tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes))
    return Schedule(times, days, months, weekdays)


def _numbers(text: str, name: str, least: int, most: int) -> frozenset[int]:
    """Return the numbers that one field names."""
    numbers: set[int] = set()
    for part in text.split(","):
        found = PART.fullmatch(part)
        if not found or (found[3] and found[1] and not found[2]):
            raise ValueError(f"{part!r} is no {name}; write for example *, {least} or */2.")
        first = int(found[1] or least)
        last = int(found[2] or (found[1] or most))
        step = int(found[3] or 1)
        if not (least <= first <= last <= most and 1 <= step <= most):
            raise ValueError(f"{part!r} is no {name}; one lies between {least} and {most}.")
        numbers.update(range(first, last + 1, step))
    return frozenset(numbers)


def in_words(expression: str) -> str:
    """Return a schedule for people: `every 15 minutes`, `every day at 01:00 UTC`.

    One that has no such short words is named as it is written.
    """
    parse(expression)
    minute, hour, day, month, weekday = expression.split()
    if expression == "* * * * *":
        return "every minute"
    if found := re.fullmatch(r"\*/(\d+) \* \* \* \*", expression):
        return f"every {found[1]} minutes"
    at = f"{minute:0>2}" if minute.isdigit() else ""
    if at and hour == day == month == weekday == "*":
        return f"every hour at {int(minute)} minutes past"
    if at and hour.isdigit() and day == month == "*" and (weekday == "*" or weekday.isdigit()):
        when = "day" if weekday == "*" else WEEKDAYS[int(weekday)]
        return f"every {when} at {hour:0>2}:{at} UTC"
    return f"at {expression} (cron, UTC)"
