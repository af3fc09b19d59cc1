"""CSV files as spreadsheets and other programs write them: bytes in, cleaned cells out. Pure.

A file that cannot be used at all raises UnusableFile; a record that cannot be taken raises
Unacceptable, with a sentence for the line on which it begins.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from egac.days import FIRST_DAY, LAST_DAY
from egac.mail import usable_address
from egac.outbox import Unsendable

LARGEST_FILE = 10 * 1024 * 1024

Clean = TypeVar("Clean")

# What a spreadsheet takes for a formula (OWASP's list), behind any apostrophes of ours.
FORMULA = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
CONTROLS_OF_A_NOTE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
BRITISH_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


class UnusableFile(Exception):
    """A file that cannot be used at all; the message says why and what to do."""


class Unacceptable(Exception):
    """A record that cannot be taken; the message says why."""


@dataclass(frozen=True)
class Header:
    """The columns of a file: their names as they stand there, and where those that we know are."""

    names: tuple[str, ...]
    positions: dict[str, int]


@dataclass(frozen=True)
class Record:
    """One record as it stands in the file; `line` is the one on which it begins."""

    line: int
    header: Header
    cells: tuple[str, ...]

    def cell(self, column: str) -> str:
        """Return the cell of a column of ours; a column or cell that is not there is empty."""
        position = self.header.positions.get(column, len(self.cells))
        return self.cells[position] if position < len(self.cells) else ""

    @property
    def raw(self) -> dict[str, str]:
        """The whole record by its own column names, without the NUL that jsonb cannot hold."""
        pairs = zip(self.header.names, self.cells, strict=False)
        return {name: cell.replace("\0", "") for name, cell in pairs}

    @property
    def has_surplus(self) -> bool:
        """Whether a cell with something in it stands behind the last column."""
        return any(cell.strip() for cell in self.cells[len(self.header.names) :])


@dataclass(frozen=True)
class RefusedLine:
    """A record that cannot be taken, and why."""

    line: int
    reason: str


def read_records(
    content: bytes, columns: Sequence[str], *, required: Sequence[str]
) -> list[Record]:
    """Return the records of a CSV file of these columns; raise UnusableFile where it is none."""
    rows = _rows(_text(content))
    first = next(rows, None)
    if first is None:
        raise UnusableFile("The file is empty. Export it again as CSV.")
    header = _header(first[1], columns, required)
    records = [Record(line, header, tuple(cells)) for line, cells in rows]
    if not records:
        raise UnusableFile("The file has a header and no record below it. Nothing to import.")
    return records


def _text(content: bytes) -> str:
    """Return the file as text, without a byte order mark."""
    if len(content) > LARGEST_FILE:
        raise UnusableFile("The file is larger than 10 MB. Split it and import the parts.")
    if content.startswith(b"PK\x03\x04"):
        raise UnusableFile("The file is a workbook or an archive. Save it as CSV (UTF-8).")
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if marked or b"\0" in content.split(b"\n", 1)[0]:
        raise UnusableFile("The file is in UTF-16, or no text at all. Save it as CSV (UTF-8).")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnusableFile(
            f"Line {line} is not UTF-8 text. Save the file as CSV (UTF-8)."
        ) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with something in it, and the line on which it begins."""
    # Strict: otherwise a quote that is never closed swallows the rest of the file in silence.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnusableFile(
                f"The record that begins on line {line} cannot be read ({error}). "
                "Most often a quote in it is not closed, or not doubled: correct it."
            ) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _header(cells: Sequence[str], columns: Sequence[str], required: Sequence[str]) -> Header:
    """Return the columns; raise UnusableFile where one is missing or there twice."""
    names = tuple(cell.strip() or f"column {at}" for at, cell in enumerate(cells, 1))
    folded = [_column_key(name) for name in names]
    ours = {_column_key(column): column for column in columns}
    positions = {ours[key]: at for at, key in enumerate(folded) if key in ours}
    if missing := [column for column in required if column not in positions]:
        raise UnusableFile(
            f"There is no column {' and no column '.join(missing)}. The first line must name "
            f"the columns, with commas between them: {','.join(columns)}"
        )
    for name, key in zip(names, folded, strict=True):
        if folded.count(key) > 1:
            raise UnusableFile(f"The column {shown(name)} is there twice. Remove or rename one.")
    return Header(names, positions)


def _column_key(name: str) -> str:
    """Return a column's name without case, spaces and signs: `Date of birth` is date_of_birth."""
    return re.sub(r"[\W_]+", "", name.casefold()) or name


def clean_each(
    records: Iterable[Record], clean: Callable[[Record], Clean]
) -> Iterator[Clean | RefusedLine]:
    """Yield for each record what `clean` makes of it, or why it cannot be taken."""
    for record in records:
        try:
            if record.has_surplus:
                raise Unacceptable(
                    "It has more fields than columns: put quotes around one with a comma."
                )
            yield clean(record)
        except Unacceptable as error:
            yield RefusedLine(record.line, str(error))


def harmless(cell: str) -> str:
    """Return a cell for a CSV file, with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """Return the cell that `harmless` was given, for every cell."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def one_line(cell: str) -> str:
    """Return the text of a cell without control characters, its white space single spaces."""
    return unicodedata.normalize("NFC", " ".join(CONTROLS.sub("", original(cell)).split()))


def several_lines(cell: str) -> str:
    """Return the text of a cell over several lines, without other control characters."""
    lines = original(cell).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", CONTROLS_OF_A_NOTE.sub("", lines).strip())


def name_in(cell: str) -> str:
    """Return the name in a cell; raise Unacceptable where there is none."""
    name = one_line(cell)
    if not any(character.isalnum() for character in name):
        raise Unacceptable("It has no name.")
    return name


def address_in(cell: str) -> str:
    """Return the address in a cell, in lower case; raise Unacceptable where there is none."""
    text = one_line(cell)
    if not text:
        raise Unacceptable("It has no usable address: the e-mail is empty.")
    try:
        return usable_address(text.lower())
    except Unsendable:
        raise Unacceptable(f"It has no usable address: {shown(text)} is none.") from None


def day_in(cell: str, *, column: str) -> date | None:
    """Return the day of `2014-04-09` or `09/04/2014` (9 April), None of an empty cell."""
    text = one_line(cell)
    if not text:
        return None
    if iso := ISO_DATE.fullmatch(text):
        year, month, day = map(int, iso.groups())
    elif british := BRITISH_DATE.fullmatch(text):
        day, month, year = map(int, british.groups())
    else:
        raise Unacceptable(f"{shown(text)} is no date ({column}): write 2014-04-09 or 09/04/2014.")
    try:
        found = date(year, month, day)
    except ValueError:
        raise Unacceptable(f"{text} is no such day ({column}).") from None
    if found < FIRST_DAY:
        raise Unacceptable(f"{text} lies before {FIRST_DAY.year} ({column}).")
    if found > LAST_DAY:
        raise Unacceptable(f"{text} lies after {LAST_DAY.year} ({column}).")
    return found


def shown(text: str) -> str:
    """Return a text for a sentence, shortened where it is long."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
