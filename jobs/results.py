"""A run's result as people read it: what it changed in numbers, and its rows as tables. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

ROWS_A_PAGE = 50
MOST_COLUMNS = 8
LONGEST_CELL = 300
# The records that a row of a result names, by the name of their id. Those of apps above stand here
# as strings, and are plain text where such an app has no pages.
RECORDS = {
    "invite_id": "admin:invites_invite_change",
    "notification_id": "admin:notifications_notification_change",
    "invoice_id": "admin:billing_invoice_change",
    "booking_id": "admin:bookings_booking_change",
    "session_id": "admin:bookings_classsession_change",
    "class_session_id": "admin:bookings_classsession_change",
}
# The names that callers rely on, where they are no words that people use.
WORDS = {
    "candidates": "classes without a meeting",
    "created_count": "made",
    "dryRun": "dry run",
    "error_count": "not done",
    "invoked": "meetings made",
    "no_change": "as they were",
    "ok": "done",
    "resend_id": "id at Resend",
    "skipped_count": "skipped",
    "told_late": "told later",
    "total_checked": "looked at",
    "total_errors": "not done",
    "total_generated": "made",
    "total_processed": "looked at",
    "total_skipped": "skipped",
    "waived_count": "waived",
}
OF_A_JOB = {"run_worker_queue": {"id": "notification_id"}}


@dataclass(frozen=True)
class Cell:
    """One value of a row, and the page of the record that it names, or ""."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Table:
    """One list of a result, or the page of it that is shown."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    count: int
    first: int

    @property
    def lines(self) -> list[list[tuple[str, Cell]]]:
        """Return each row as pairs of a column and its cell."""
        return [list(zip(self.columns, cells, strict=True)) for cells in self.rows]

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def changes_of(result: Mapping[str, Any] | None) -> list[tuple[str, int]]:
    """Return every number of a result with its name in words, those inside objects as well."""
    return [(in_words(name), value) for name, value in _numbers(result or {})]


def _numbers(result: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, value in result.items():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield name, value


def notes_of(result: Mapping[str, Any] | None) -> list[str]:
    """Return what a result says in sentences."""
    result = result or {}
    notes = [result.get("note"), *(result.get("notes") or [])]
    return [str(note) for note in notes if note]


def tables_of(job: str, result: Mapping[str, Any] | None, *, page: int) -> list[Table]:
    """Return the lists of a result as tables, each from its page on."""
    return [
        _table(job, name, value, page)
        for name, value in (result or {}).items()
        if isinstance(value, list) and value and name != "notes"
    ]


def pages_of(result: Mapping[str, Any] | None) -> int:
    """Return how many pages the longest list of a result has."""
    longest = max(
        (len(each) for each in (result or {}).values() if isinstance(each, list)), default=0
    )
    return max(1, -(-longest // ROWS_A_PAGE))


def _table(job: str, name: str, rows: list[Any], page: int) -> Table:
    first = ROWS_A_PAGE * (page - 1)
    shown = [
        each if isinstance(each, dict) else {"value": each} for each in rows[first:][:ROWS_A_PAGE]
    ]
    named = dict.fromkeys(key for row in shown for key in row)
    # The database keeps no order of names: which record it is comes first.
    columns = sorted(named, key=lambda name: _record_of(job, name) not in RECORDS)[:MOST_COLUMNS]
    cells = [[_cell(job, column, row.get(column)) for column in columns] for row in shown]
    words = [in_words(column) for column in columns]
    return Table(in_words(name), words, cells, len(rows), first + 1)


def _cell(job: str, column: str, value: Any) -> Cell:
    if value is None:
        return Cell("–")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
    return Cell(text, _link(_record_of(job, column), value))


def _record_of(job: str, column: str) -> str:
    """Return the name under which RECORDS knows what a column names."""
    return OF_A_JOB.get(job, {}).get(column, column)


def _link(column: str, value: Any) -> str:
    if column not in RECORDS or not value:
        return ""
    try:
        return reverse(RECORDS[column], args=[value])
    except NoReverseMatch:
        return ""


def in_words(name: str) -> str:
    """Return a name of a result as words: `reminders_sent` is `reminders sent`."""
    return WORDS.get(name) or name.replace("_", " ")
