"""The day of a job as a strip of half hours: what ran, how it ended, what is still to come. Pure.

It is read without colour: a half hour in which all ran well is solid, one with a run that failed is
hollow under a ✕, one still to come is a ring.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.timezone import localtime

from egac.days import start_of
from jobs.models import JobRun
from jobs.schedule import next_run

CELL = timedelta(minutes=30)
WIDTH, GAP = 8, 2  # in units of the drawing
A_MOMENT = timedelta(seconds=1)

Ran = Counter[tuple[int, str]]  # how many runs of a half hour ended how


@dataclass(frozen=True)
class Cell:
    """One half hour in which something ran or will run."""

    x: int
    kind: str  # "good", "bad", "running" or "coming"
    title: str
    width: int = WIDTH - GAP

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Strip:
    """A job's day: a drawing, and what it says in words."""

    cells: list[Cell]
    width: int
    now_x: int
    words: str


def day_of(on: date) -> list[datetime]:
    """Return when each half hour of a business date begins; its length differs by clock changes."""
    # In UTC: between two instants of one zone Python takes the clocks for unchanged.
    start, end = (start_of(day).astimezone(UTC) for day in (on, on + timedelta(days=1)))
    return [start + CELL * number for number in range((end - start) // CELL)]


def strip_of(day: Sequence[datetime], ran: Ran, schedule: str, *, now: datetime) -> Strip:
    """Draw a job's day; an empty `schedule` says that none of its runs is to come."""
    cells = []
    for number, start in enumerate(day):
        counts = {status: ran[number, status] for status in JobRun.Status.values}
        if any(counts.values()):
            cells.append(Cell(number * WIDTH, kind_of(counts), _title(start, counts)))
        elif schedule and _is_coming(schedule, start, now):
            title = f"{localtime(start):%H:%M %Z}: to come"
            cells.append(Cell(number * WIDTH, "coming", title))
    now_x = round((now - day[0]) / CELL * WIDTH)
    return Strip(cells, len(day) * WIDTH, now_x, words_of(ran))


def kind_of(counts: dict[str, int]) -> str:
    """Return how a half hour is drawn: one run that went wrong shows before all others."""
    if counts[JobRun.Status.FAILED] or counts[JobRun.Status.LOST]:
        return "bad"
    return "running" if counts[JobRun.Status.RUNNING] else "good"


def words_of(ran: Ran) -> str:
    """Return how many runs the day had so far, and how many did not succeed."""
    total, bad = sum(ran.values()), _bad(ran)
    if not total:
        return "No run today."
    runs = "1 run" if total == 1 else f"{total} runs"
    return f"{runs} today, {bad or 'none'} failed."


def _bad(ran: Ran) -> int:
    wrong = (JobRun.Status.FAILED, JobRun.Status.LOST)
    return sum(count for (_, status), count in ran.items() if status in wrong)


def _is_coming(schedule: str, start: datetime, now: datetime) -> bool:
    return next_run(schedule, max(now, start - A_MOMENT)) < start + CELL


def _title(start: datetime, counts: dict[str, int]) -> str:
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{localtime(start):%H:%M %Z}: {told}"
