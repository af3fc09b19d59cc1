"""The day of a job as a strip of half hours, on days of every length."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egac.days import start_of
from jobs.day_strip import CELL, WIDTH, day_of, strip_of, words_of
from jobs.registry import JOBS
from jobs.schedule import next_run

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
DAY = day_of(date(2026, 11, 24))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

dates = st.dates(date(2024, 1, 1), date(2030, 12, 31)) | st.sampled_from([SPRING, AUTUMN])


@pytest.mark.parametrize(("on", "halves"), [(date(2026, 11, 24), 48), (SPRING, 46), (AUTUMN, 50)])
def test_a_day_has_the_half_hours_that_the_clocks_give_it(on: date, halves: int) -> None:
    day = day_of(on)

    assert len(day) == halves
    assert day[0] == start_of(on)
    assert day[-1] + CELL == start_of(on + timedelta(days=1))


@settings(deadline=None, max_examples=60)
@given(dates, st.integers(0, 24 * 60 - 1), st.sampled_from(list(JOBS.values())))
def test_what_is_to_come_is_what_the_schedule_names(on: date, minute: int, job: object) -> None:
    schedule = job.schedule  # type: ignore[attr-defined]
    day = day_of(on)
    now = day[0] + timedelta(minutes=minute)

    cells = strip_of(day, Counter(), schedule, now=now).cells

    runs = set()
    run_at = next_run(schedule, max(now, day[0] - timedelta(seconds=1)))
    while run_at < day[-1] + CELL:
        runs.add((run_at - day[0]) // CELL)
        run_at = next_run(schedule, run_at)
    assert {cell.x // WIDTH for cell in cells} == runs
    assert {cell.kind for cell in cells} <= {"coming"}


@pytest.mark.parametrize(
    ("ran", "kind", "title"),
    [
        ({"succeeded": 3}, "good", "10:00 GMT: 3 succeeded"),
        ({"succeeded": 3, "running": 1}, "running", "10:00 GMT: 1 running, 3 succeeded"),
        (
            {"succeeded": 3, "running": 1, "lost": 1},
            "bad",
            "10:00 GMT: 1 running, 3 succeeded, 1 lost",
        ),
        ({"failed": 1}, "bad", "10:00 GMT: 1 failed"),
    ],
)
def test_a_run_that_went_wrong_shows_before_all_others(
    ran: dict[str, int], kind: str, title: str
) -> None:
    counts = Counter({(20, status): count for status, count in ran.items()})

    (cell,) = strip_of(DAY, counts, "", now=NOON).cells

    assert (cell.x, cell.kind, cell.title) == (20 * WIDTH, kind, title)


def test_the_words_count_what_went_wrong() -> None:
    assert words_of(Counter()) == "No run today."
    assert words_of(Counter({(0, "succeeded"): 1})) == "1 run today, none failed."
    assert words_of(Counter({(0, "succeeded"): 9, (3, "lost"): 1, (4, "failed"): 1})) == (
        "11 runs today, 2 failed."
    )


def test_the_line_of_now_stands_at_its_time() -> None:
    assert strip_of(DAY, Counter(), "", now=NOON).now_x == 24 * WIDTH
