"""What an invoice asks: a net amount and its tax on each line, and their sums. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from egac.money import tax_on, to_the_penny

NOTHING = Decimal("0.00")
MOST = Decimal("99999999.99")  # what the columns hold


@dataclass(frozen=True)
class Line:
    """One line as an invoice shows it; `unit_price` is without tax, in the invoice's currency."""

    description: str
    unit_price: Decimal
    tax_percent: Decimal
    quantity: int = 1
    enrolment_id: int | None = None

    @cached_property
    def net(self) -> Decimal:
        return to_the_penny(self.unit_price * self.quantity)

    @cached_property
    def tax(self) -> Decimal:
        """Rounded on each line, not on the sum (domain.md §1)."""
        return tax_on(self.net, self.tax_percent)


@dataclass(frozen=True)
class Totals:
    """The sums of an invoice's lines, each line as it is shown."""

    net: Decimal
    tax: Decimal

    @cached_property
    def total(self) -> Decimal:
        return self.net + self.tax


def totals_of(lines: Iterable[Line]) -> Totals:
    """Return the sums of the lines."""
    shown = list(lines)
    return Totals(
        net=sum((line.net for line in shown), NOTHING),
        tax=sum((line.tax for line in shown), NOTHING),
    )
