"""One measured figure beside what it must reach, and the table that is made of them."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import connection

from scripts.benchmarks.counts import Counts

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / ".bench.json"
HEAD = "| measure | made of | figure | bound | holds |\n|---|---|---|---|---|"
SETTINGS = ("server_version", "shared_buffers", "fsync", "synchronous_commit")


@dataclass(frozen=True)
class Measure:
    """A figure, what it was made of, and its bound; `at_least` says on which side."""

    name: str
    figure: float
    made_of: str
    bound: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def row(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "yes" if self.holds else "**no**"
        return (
            f"| {self.name} | {self.made_of} | {self.figure:.3f} | {sign} {self.bound:g} "
            f"| {verdict} |"
        )


def ratio_of_pairs(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the median of second ÷ first, taken turn by turn, and the median of each."""
    ratio = statistics.median(second / first for first, second in pairs)
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ratio, first, second


def set_up(counts: Counts, load_before: float) -> str:
    """Return in sentences what the figures were taken on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(SETTINGS)]
        )
        told = dict(cursor.fetchall())
    server = told.pop("server_version")
    options = ", ".join(f"{name} {value}" for name, value in told.items())
    load = f"{load_before:.1f} before and {os.getloadavg()[0]:.1f} after"
    return (
        f"Taken on: {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, PostgreSQL {server} on the same machine ({options}), "
        f"production settings. Load of the machine: {load}. {counts.sentence}."
    )


def table(measures: Sequence[Measure], *, where: str) -> str:
    """Return the figures as a table in Markdown."""
    rows = "\n".join(measure.row() for measure in measures)
    return f"{where}\n\n{HEAD}\n{rows}\n"


def write(group: str, measures: Sequence[Measure], *, where: str) -> None:
    """Write a group's figures as JSON, and their table into its place in docs/performance.md."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    figures = [{**asdict(measure), "holds": measure.holds} for measure in measures]
    kept[group] = {"set_up": where, "measures": figures}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    begin, end = f"<!-- scripts/bench {group} writes from here -->", "<!-- to here -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n\n{table(measures, where=where)}\n{end}{after}", "utf-8")
