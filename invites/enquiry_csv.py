"""Enquiries as a CSV file: bytes in, cleaned enquiries and refused lines out. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from egac.csv_files import (
    Record,
    RefusedLine,
    Unacceptable,
    address_in,
    clean_each,
    day_in,
    name_in,
    one_line,
    read_records,
    several_lines,
)

COLUMNS = ("name", "email", "phone", "interest", "date_of_birth", "source", "enquired_on", "note")

Key = tuple[str, str]


@dataclass(frozen=True)
class CleanEnquiry:
    """A record that may become an enquiry."""

    line: int
    name: str
    email: str
    phone: str | None
    interest: str | None
    dob: date | None
    source: str | None
    enquired_on: date | None
    note: str | None
    raw: dict[str, str]

    @property
    def key(self) -> Key:
        return key_of(self.name, self.email)


@dataclass(frozen=True)
class AlreadyThere:
    """A record of an enquiry that is in the database, or further up in the file."""

    enquiry: CleanEnquiry

    @property
    def line(self) -> int:
        return self.enquiry.line


Cleaned = CleanEnquiry | RefusedLine
Verdict = Cleaned | AlreadyThere


def read_enquiries(content: bytes) -> list[Record]:
    """Return the records of a file of enquiries; raise UnusableFile where it is none."""
    return read_records(content, COLUMNS, required=("name", "email"))


def clean_records(records: Iterable[Record], *, today: date) -> Iterator[Cleaned]:
    """Yield for each record the enquiry in it, or why there is none."""
    return clean_each(records, partial(clean_record, today=today))


def clean_record(record: Record, *, today: date) -> CleanEnquiry:
    """Return the enquiry in a record; raise Unacceptable where there is none."""
    return CleanEnquiry(
        line=record.line,
        name=name_in(record.cell("name")),
        email=address_in(record.cell("email")),
        phone=one_line(record.cell("phone")) or None,
        interest=one_line(record.cell("interest")) or None,
        dob=_birthday(record.cell("date_of_birth"), today=today),
        source=one_line(record.cell("source")) or None,
        enquired_on=day_in(record.cell("enquired_on"), column="enquired_on"),
        note=several_lines(record.cell("note")) or None,
        raw=record.raw,
    )


def find_known(cleaned: Iterable[Cleaned], known: Iterable[Key]) -> list[Verdict]:
    """Return the same in the same order, with AlreadyThere for what is known or comes again."""
    seen = set(known)
    verdicts: list[Verdict] = []
    for each in cleaned:
        if isinstance(each, RefusedLine):
            verdicts.append(each)
            continue
        verdicts.append(AlreadyThere(each) if each.key in seen else each)
        seen.add(each.key)
    return verdicts


def key_of(name: str | None, email: str | None) -> Key:
    """Return what two records of one enquiry share: their name and address, normalised."""
    folded = unicodedata.normalize("NFKC", name or "").casefold()
    return " ".join(folded.split()), (email or "").strip().lower()


def _birthday(cell: str, *, today: date) -> date | None:
    day = day_in(cell, column="date_of_birth")
    if day and day > today:
        raise Unacceptable(f"{one_line(cell)} lies in the future (date_of_birth).")
    return day
