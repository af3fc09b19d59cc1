"""Cron expressions: held against a clock that is looked at every minute."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from egac.days import business_date
from jobs.registry import JOBS, Job
from jobs.schedule import in_words, next_run, parse, previous_run

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Field = tuple[str, frozenset[int]]  # as it is written, and the numbers it means


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@st.composite
def fields(draw: st.DrawFn, least: int, most: int) -> Field:
    """Return a field of a cron expression together with what it means."""
    numbers = st.integers(least, most)
    form = draw(st.sampled_from(["*", "number", "range", "step", "range with step", "list"]))
    first, last = sorted((draw(numbers), draw(numbers)))
    step = draw(st.integers(1, most))
    return {
        "*": ("*", frozenset(range(least, most + 1))),
        "number": (f"{first}", frozenset({first})),
        "range": (f"{first}-{last}", frozenset(range(first, last + 1))),
        "step": (f"*/{step}", frozenset(range(least, most + 1, step))),
        "range with step": (f"{first}-{last}/{step}", frozenset(range(first, last + 1, step))),
        "list": (f"{last},{first}", frozenset({first, last})),
    }[form]


@settings(deadline=None, max_examples=60)
@given(
    minute=fields(0, 59),
    hour=fields(0, 23),
    weekday=fields(0, 6),
    now=st.integers(0, 7 * 365 * 86_400).map(lambda n: at("2024-01-01") + timedelta(seconds=n)),
)
def test_agrees_with_a_clock_that_is_looked_at_every_minute(
    minute: Field, hour: Field, weekday: Field, now: datetime
) -> None:
    expression = f"{minute[0]} {hour[0]} * * {weekday[0]}"

    found = (previous_run(expression, now), next_run(expression, now))

    def runs_at(instant: datetime) -> bool:
        is_hour = instant.hour in hour[1] and (instant.weekday() + 1) % 7 in weekday[1]
        return is_hour and instant.minute in minute[1]

    whole = now.replace(second=0, microsecond=0)
    before = next(then for n in range(8 * 1440) if runs_at(then := whole - n * MINUTE))
    after = next(then for n in range(1, 8 * 1440) if runs_at(then := whole + n * MINUTE))
    assert found == (before, after)


@pytest.mark.parametrize(
    ("expression", "now", "before", "after"),
    [
        ("*/15 * * * *", "2026-03-29T00:59", "2026-03-29T00:45", "2026-03-29T01:00"),
        ("0 1 * * *", "2026-12-31T01:00", "2026-12-31T01:00", "2027-01-01T01:00"),
        ("0 1 * * *", "2026-12-31T00:59:59", "2026-12-30T01:00", "2026-12-31T01:00"),
        ("0 0 29 2 *", "2026-06-01", "2024-02-29", "2028-02-29"),
        ("0 0 29 2 *", "2097-01-01", "2096-02-29", "2104-02-29"),
        ("30 3 31 */2 *", "2026-02-01", "2026-01-31T03:30", "2026-03-31T03:30"),
        ("0 6 1 1-3,12 *", "2026-04-01", "2026-03-01T06:00", "2026-12-01T06:00"),
    ],
)
def test_knows_months_and_leap_years(expression: str, now: str, before: str, after: str) -> None:
    assert previous_run(expression, at(now)) == at(before)
    assert next_run(expression, at(now)) == at(after)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * MON",
        "-1 * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "5/10 * * * *",
        "1,,2 * * * *",
        "٣ * * * *",
        "0 0 1 * 1",
    ],
)
def test_refuses_what_not_every_cron_reads_alike(expression: str) -> None:
    with pytest.raises(ValueError, match=r"write|lies between"):
        parse(expression)


def test_refuses_a_day_that_never_comes() -> None:
    with pytest.raises(ValueError, match="no day that there is"):
        next_run("0 0 30 2 *", at("2026-01-01"))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("5 * * * *", "every hour at 5 minutes past"),
        ("0 1 * * *", "every day at 01:00 UTC"),
        ("30 13 * * *", "every day at 13:30 UTC"),
        ("0 6 * * 1", "every Monday at 06:00 UTC"),
        ("0 6 1 * *", "at 0 6 1 * * (cron, UTC)"),
    ],
)
def test_says_a_schedule_in_words(expression: str, words: str) -> None:
    assert in_words(expression) == words


ZONES = ["Europe/London", "America/New_York", "Pacific/Auckland"]
IN_SEVEN_YEARS = [date(2024, 1, 1) + n * DAY for n in range(7 * 365 + 2)]


def runs(job: Job, first: datetime, last: datetime) -> list[datetime]:
    found = [next_run(job.schedule, first - MINUTE)]
    while found[-1] < last:
        found.append(next_run(job.schedule, found[-1]))
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "job", [job for job in JOBS.values() if job.is_dated], ids=lambda job: job.name
)
def test_invariant_16_a_dated_job_has_each_business_date_once(job: Job, zone: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        dates = [business_date(run) for run in runs(job, at("2023-12-31"), at("2031-01-02"))]

    assert [on for on in dates if 2024 <= on.year <= 2030] == IN_SEVEN_YEARS


@pytest.mark.parametrize("night", ["03-25", "10-25"])
@pytest.mark.parametrize("job", JOBS.values(), ids=lambda job: job.name)
def test_invariant_16_no_job_misses_a_business_date_when_the_clocks_change(
    job: Job, night: str
) -> None:
    for year in range(2024, 2031):
        first = at(f"{year}-{night}")
        found = runs(job, first, first + 9 * DAY)
        dates = [on for on, _ in groupby(found, key=business_date)]

        assert dates == [dates[0] + n * DAY for n in range(len(dates))]
        assert len(dates) >= 9
