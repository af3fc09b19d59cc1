"""Sent and failed tries over time as a drawing: a column a time. Pure.

It is read without colour: what was sent is solid, failed tries stand hollow on top under a ✕. What
is drawn is told in words, and in a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

STEP, WIDTH, HEIGHT, HEAD, FOOT = 14, 10, 80, 16, 16  # in units of the drawing
SHORTEST = 2  # of what is there at all


@dataclass(frozen=True)
class Point:
    """What came of the tries of one time; `label` names it, `tick` stands under it or is ""."""

    label: str
    sent: int
    failed: int
    tick: str = ""

    @property
    def words(self) -> str:
        return f"{self.label}: {self.sent:,} sent, {_failed(self.failed)}"


@dataclass(frozen=True)
class Column:
    """One time, as it is drawn."""

    x: int
    sent_height: int
    failed_height: int
    point: Point

    @property
    def middle(self) -> int:
        return self.x + WIDTH // 2

    @property
    def sent_y(self) -> int:
        return HEAD + HEIGHT - self.sent_height

    @property
    def failed_y(self) -> int:
        return self.sent_y - self.failed_height

    @property
    def mark_y(self) -> int:
        return self.failed_y - 3


@dataclass(frozen=True)
class Columns:
    """A drawing, and what it says in words."""

    columns: list[Column]
    title: str
    words: str
    width: int
    column_width: int = WIDTH
    base: int = HEAD + HEIGHT
    height: int = HEAD + HEIGHT + FOOT
    ticks_y: int = HEAD + HEIGHT + FOOT - 4


def columns_of(points: Sequence[Point], *, title: str) -> Columns:
    """Draw points, the oldest first."""
    most = max((point.sent + point.failed for point in points), default=0)
    columns = [
        Column(place * STEP, _height(point.sent, most), _height(point.failed, most), point)
        for place, point in enumerate(points)
    ]
    return Columns(columns, title, words_of(points), max(len(points), 1) * STEP)


def words_of(points: Sequence[Point]) -> str:
    """Return how many were sent and failed in all, and when most were tried."""
    sent, failed = sum(each.sent for each in points), sum(each.failed for each in points)
    if not sent + failed:
        return "Nothing was sent."
    busiest = max(points, key=lambda each: each.sent + each.failed)
    return f"{sent:,} sent, {_failed(failed)}. Most at {busiest.words}."


def _height(count: int, most: int) -> int:
    return max(SHORTEST, round((HEIGHT - SHORTEST) * count / most)) if count else 0


def _failed(count: int) -> str:
    return "1 failed try" if count == 1 else f"{count:,} failed tries"
