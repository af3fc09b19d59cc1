"""The rows of a run's result: the first of them, and how many there are of each outcome."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from billing.batches import Row

MOST_LISTED = 1000  # rows of a result; a run over 100,000 bookings has as many


@dataclass
class Listing:
    """What a run has told so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    listed: list[Row] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)

    def list_rows(self, rows: Sequence[Row]) -> None:
        """Count these rows, and keep them while there is room."""
        self.outcomes.update(row["outcome"] for row in rows)
        self.listed += rows[: MOST_LISTED - len(self.listed)]
        wrong = [row for row in rows if not row["ok"]]
        self.errors += wrong[: MOST_LISTED - len(self.errors)]

    def ending(self, *, left: int, what: str) -> Row:
        """Return what every result ends with: errors by name, the rows, what is left and why."""
        rows = sum(self.outcomes.values())
        left_out = rows - len(self.listed)
        notes = [
            f"The first {len(self.listed)} of {rows} rows are listed." if left_out else "",
            f"It was stopped: {left} {what} go with the next run." if left else "",
        ]
        return {
            "errors": self.errors,
            "results": self.listed,
            "left": left,
            "note": " ".join(filter(None, notes)),
        }


def beginning(on: date, *, dry_run: bool) -> Row:
    """Return what every result begins with; `success` says that the run came to its end."""
    return {"ok": True, "success": True, "dry_run": dry_run, "execution_date": on.isoformat()}
