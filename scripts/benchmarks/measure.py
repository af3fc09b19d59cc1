"""One measured figure beside what it must reach, and the table that is made of them."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / ".bench.json"
BEGIN, END = "<!-- scripts/bench writes from here -->", "<!-- to here -->"


@dataclass(frozen=True)
class Measure:
    """A ratio, what it was made of, and its bound; `at_least` says on which side."""

    name: str
    ratio: float
    made_of: str
    bound: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound

    def row(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "yes" if self.holds else "**no**"
        return (
            f"| {self.name} | {self.made_of} | {self.ratio:.3f} | {sign} {self.bound} | {verdict} |"
        )


def machine(server: str) -> str:
    """Return what the figures were taken on."""
    cores = os.cpu_count()
    python = platform.python_version()
    return f"{cores} cores, {platform.machine()}, Python {python}, PostgreSQL {server}"


def table(measures: Sequence[Measure], *, where: str) -> str:
    """Return the figures as a table in Markdown."""
    head = "| measure | made of | ratio | bound | holds |\n|---|---|---|---|---|"
    rows = "\n".join(measure.row() for measure in measures)
    return f"Taken on: {where}. Medians; every ratio is of one run.\n\n{head}\n{rows}\n"


def write(measures: Sequence[Measure], *, where: str) -> None:
    """Write the figures as JSON, and their table into docs/performance.md."""
    figures = [{**asdict(measure), "holds": measure.holds} for measure in measures]
    RESULTS.write_text(json.dumps({"machine": where, "measures": figures}, indent=2) + "\n")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(measures, where=where)}\n{END}{after}", "utf-8")
