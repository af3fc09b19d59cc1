"""The history of a job as a drawing: a bar a run, its height how long it took. Pure.

It is read without colour: a run that did not succeed carries a mark above its bar, and its bar is
hollow. What is drawn is also told in words.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from egac.explain import day_and_clock
from jobs.models import JobRun

STEP, BAR, HEIGHT, SHORTEST, HEAD = 12, 8, 72, 3, 16  # in units of the drawing
SHOWN = 60

MARKS: dict[str, str] = {
    JobRun.Status.SUCCEEDED: "",
    JobRun.Status.FAILED: "✕",
    JobRun.Status.LOST: "?",
    JobRun.Status.RUNNING: "…",
}


@dataclass(frozen=True)
class Bar:
    """One run, as it is drawn."""

    x: int
    y: int
    height: int
    mark: str
    status: str
    title: str

    @property
    def middle(self) -> int:
        return self.x + BAR // 2

    @property
    def mark_y(self) -> int:
        return self.y - 4


@dataclass(frozen=True)
class Chart:
    """A drawing and what it says, in words."""

    bars: list[Bar]
    width: int
    height: int
    words: str
    bar_width: int = BAR

    @property
    def base(self) -> int:
        """Where the bars stand."""
        return self.height - 1


def chart_of(runs: Sequence[JobRun]) -> Chart:
    """Draw runs, the newest of which comes first in the list and last in the drawing."""
    longest = max((_seconds(run) for run in runs), default=0.0)
    bars = [_bar(run, place, longest) for place, run in enumerate(reversed(runs))]
    width = max(len(runs), 1) * STEP
    return Chart(bars, width, HEAD + HEIGHT + 1, words_of(runs))


def words_of(runs: Sequence[JobRun]) -> str:
    """Return how many runs ended how, since when, and how long the longest took."""
    if not runs:
        return "It has not run yet."
    counts = Counter(JobRun.Status(run.status).name.lower() for run in runs)
    ended = ", ".join(f"{count} {word}" for word, count in counts.items())
    longest = in_short(timedelta(seconds=max(_seconds(run) for run in runs)))
    since = day_and_clock(runs[-1].started_at)
    what = "The last run" if len(runs) == 1 else f"The last {len(runs)} runs"
    return f"{what}, since {since}: {ended}. The longest took {longest}."


def _bar(run: JobRun, place: int, longest: float) -> Bar:
    share = _seconds(run) / longest if longest else 0.0
    height = max(SHORTEST, round(HEIGHT * share))
    took = f", took {in_short(run.duration)}" if run.duration is not None else ""
    return Bar(
        x=place * STEP + (STEP - BAR) // 2,
        y=HEAD + HEIGHT - height,
        height=height,
        mark=MARKS[run.status],
        status=run.status,
        title=f"{day_and_clock(run.started_at)}: {run.status}{took}",
    )


def _seconds(run: JobRun) -> float:
    return run.duration.total_seconds() if run.duration is not None else 0.0


def in_short(duration: timedelta | None) -> str:
    """Return a duration for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h`."""
    if duration is None:
        return "–"
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
