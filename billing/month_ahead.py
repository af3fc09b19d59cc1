"""The month ahead: for each day, who will be invoiced, reminded or locked, and for how much."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from billing.amounts import NOTHING
from billing.expected import Expected, expected_classes, expected_months
from egac.days import day_in_words
from egac.money import in_words

DAYS = 31
MOST_NAMED = 50  # lines of a section; the others are counted and summed up

Source = Callable[[date, date], Iterable[Expected]]

# What a day may hold, in the order of its sections' first lines.
SOURCES: tuple[Source, ...] = (expected_months, expected_classes)


@dataclass
class Section:
    """What one heading says of one day."""

    title: str
    named: list[Expected] = field(default_factory=list)
    count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)  # by currency

    def add(self, line: Expected) -> None:
        self.count += 1
        if line.amount is not None:
            self.amounts[line.currency] = self.amounts.get(line.currency, NOTHING) + line.amount
        if len(self.named) < MOST_NAMED:
            self.named.append(line)

    @property
    def left_out(self) -> int:
        return self.count - len(self.named)

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


def month_ahead(first_on: date) -> list[Day]:
    """Return the days from `first_on` on for DAYS, those without anything left out."""
    last_on = first_on + timedelta(days=DAYS - 1)
    days: dict[date, Day] = {}
    for source in SOURCES:
        for line in source(first_on, last_on):
            day = days.setdefault(line.on, Day(line.on))
            day.sections.setdefault(line.section, Section(line.section)).add(line)
    return [days[on] for on in sorted(days)]


def sum_of(days: Iterable[Day]) -> list[Section]:
    """Return the whole month as one section for each heading, without names; the money first."""
    whole: dict[str, Section] = {}
    for section in (each for day in days for each in day.sections.values()):
        summed = whole.setdefault(section.title, Section(section.title))
        summed.count += section.count
        for currency, amount in section.amounts.items():
            summed.amounts[currency] = summed.amounts.get(currency, NOTHING) + amount
    return sorted(whole.values(), key=lambda section: not section.amounts)
