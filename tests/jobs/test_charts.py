"""The history of a job, drawn: read without colour, and told in words as well."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.charts import HEIGHT, SHORTEST, chart_of, in_short
from jobs.models import JobRun

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def run(seconds: float | None = 5, status: str = "succeeded", **fields: Any) -> JobRun:
    started = fields.pop("started_at", NOON)
    ended = None if seconds is None else started + timedelta(seconds=seconds)
    return JobRun(status=status, started_at=started, finished_at=ended)


def test_a_bar_is_as_high_as_its_run_took_long() -> None:
    heights = [bar.height for bar in chart_of([run(10), run(5), run(0)]).bars]

    assert heights == [SHORTEST, HEIGHT // 2, HEIGHT]


def test_the_newest_run_stands_last() -> None:
    newest, oldest = run(1), run(9, started_at=NOON - timedelta(days=1))

    bars = chart_of([newest, oldest]).bars

    assert [bar.title[:11] for bar in bars] == ["23 November", "24 November"]
    assert bars[0].x < bars[1].x


@pytest.mark.parametrize(
    ("status", "mark"), [("succeeded", ""), ("failed", "✕"), ("lost", "?"), ("running", "…")]
)
def test_a_run_that_did_not_succeed_carries_a_mark(status: str, mark: str) -> None:
    [bar] = chart_of([run(None if status == "running" else 5, status)]).bars

    assert (bar.mark, bar.status) == (mark, status)


def test_every_bar_stands_within_the_drawing() -> None:
    chart = chart_of([run(n % 7, "failed") for n in range(60)])

    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + chart.bar_width <= chart.width
        assert 0 < bar.mark_y < bar.y <= bar.y + bar.height <= chart.base


def test_says_in_words_what_it_draws() -> None:
    words = chart_of([run(75), run(2, "failed"), run(1)]).words

    assert words == (
        "The last 3 runs, since 24 November 2026 at 12:00 GMT: 2 succeeded, 1 failed. "
        "The longest took 1 min 15 s."
    )


def test_a_job_that_never_ran_has_an_empty_drawing() -> None:
    chart = chart_of([])

    assert (chart.bars, chart.words) == ([], "It has not run yet.")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7200, "2 h"),
        (3661, "1 h 1 min 1 s"),
    ],
)
def test_a_duration_in_short(seconds: float, words: str) -> None:
    assert in_short(timedelta(seconds=seconds)) == words
