"""The month ahead: for each day, who will be invoiced, reminded or locked, and for how much.

What is decided alike is decided once, by the code that the jobs run, and counted for all; the few
that a page names are decided each by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from billing.amounts import NOTHING
from billing.expected import Expected, alike_in_months, classes_of, each_with_classes, months_of
from billing.expected_unpaid import alike_in_access, alike_in_steps, moves_of, reminders_of
from egac.days import day_in_words
from egac.money import in_words

DAYS = 31
MOST_NAMED = 5  # lines of a section on the page of the month; the others are counted and summed up
NAMED_A_PAGE = 100  # on the page of a day

Ids = Sequence[int]


class Source(NamedTuple):
    """What a day may hold: the rows that are decided alike, and the lines of some of them."""

    alike: Callable[[date, date], Iterable[Ids]]
    lines_of: Callable[[Ids, date, date], Iterator[tuple[int, Expected]]]


# In the order of their sections on a day.
SOURCES = (
    Source(alike_in_months, months_of),
    Source(each_with_classes, classes_of),
    Source(alike_in_steps, reminders_of),
    Source(alike_in_access, moves_of),
)


@dataclass
class Section:
    """What one heading says of one day."""

    title: str
    source: Source | None = None
    ids: list[Ids] = field(default_factory=list)
    named: list[Expected] = field(default_factory=list)
    count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)  # by currency
    left_out: int = 0

    def add(self, line: Expected, ids: Ids) -> None:
        """Take in a line that is the same for all of these rows but for its names."""
        self.ids.append(ids)
        self.count += len(ids)
        if line.amount is not None:
            self._sum_up(line.currency, line.amount * len(ids))

    def take_in(self, other: "Section") -> None:
        """Take in the count and the amounts of another day."""
        self.count += other.count
        for currency, amount in other.amounts.items():
            self._sum_up(currency, amount)

    def _sum_up(self, currency: str, amount: Decimal) -> None:
        self.amounts[currency] = self.amounts.get(currency, NOTHING) + amount

    def rows(self, window: slice) -> list[int]:
        """Return the ids of the rows in a window of the section, in order."""
        return sorted({each for ids in self.ids for each in ids})[window]

    def has_rows_after(self, page: int) -> bool:
        """Return whether the section has rows beyond a page of NAMED_A_PAGE each."""
        return bool(self.rows(slice(page * NAMED_A_PAGE, page * NAMED_A_PAGE + 1)))

    @property
    def total(self) -> str:
        """The amounts in words; "" where nothing is asked."""
        return " and ".join(in_words(each, name) for name, each in sorted(self.amounts.items()))


@dataclass
class Day:
    """A day on which something will happen."""

    on: date
    sections: dict[str, Section] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return day_in_words(self.on)

    def has_names_after(self, page: int) -> bool:
        """Return whether a section goes on after this page."""
        return any(each.has_rows_after(page) for each in self.sections.values())


def month_ahead(first_on: date, *, most_named: int = MOST_NAMED) -> list[Day]:
    """Return the days from `first_on` on for DAYS, those without anything left out."""
    days = counted_days(first_on)
    name_rows(days, first_on, window=slice(most_named))
    return days


def day_ahead(first_on: date, on: date, *, page: int) -> Day:
    """Return one of these days, with the names of one page of each section."""
    day = {each.on: each for each in counted_days(first_on)}.get(on, Day(on))
    name_rows([day], first_on, window=slice((page - 1) * NAMED_A_PAGE, page * NAMED_A_PAGE))
    return day


def last_of(first_on: date) -> date:
    return first_on + timedelta(days=DAYS - 1)


def counted_days(first_on: date) -> list[Day]:
    """Return the days with their counts and amounts, without names."""
    days: dict[date, Day] = {}
    for source in SOURCES:
        alike = {ids[0]: ids for ids in source.alike(first_on, last_of(first_on))}
        for first, line in source.lines_of(list(alike), first_on, last_of(first_on)):
            day = days.setdefault(line.on, Day(line.on))
            section = day.sections.setdefault(line.section, Section(line.section, source))
            section.add(line, alike[first])
    return [days[on] for on in sorted(days)]


def name_rows(days: Sequence[Day], first_on: date, *, window: slice) -> None:
    """Name in each section the rows of a window, as the same code decides about each."""
    sections = {(day.on, each.title): each for day in days for each in day.sections.values()}
    wanted = {key: set(each.rows(window)) for key, each in sections.items()}
    for source in SOURCES:
        asked = [wanted[key] for key, each in sections.items() if each.source is source]
        ids = sorted(set().union(*asked))
        for row, line in source.lines_of(ids, first_on, last_of(first_on)):
            if row in wanted.get((line.on, line.section), ()):
                sections[line.on, line.section].named.append(line)
    for section in sections.values():
        section.left_out = section.count - len(section.named)


def sum_of(days: Iterable[Day]) -> list[Section]:
    """Return the whole month as one section for each heading, without names; the money first."""
    whole: dict[str, Section] = {}
    for section in (each for day in days for each in day.sections.values()):
        whole.setdefault(section.title, Section(section.title)).take_in(section)
    return sorted(whole.values(), key=lambda section: not section.amounts)
