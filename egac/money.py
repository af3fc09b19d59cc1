"""Amounts of money: exact, rounded half-up to the penny, written with their currency. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

PENNY = Decimal("0.01")
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def to_the_penny(amount: Decimal) -> Decimal:
    """Return the amount rounded half-up to two decimal places (domain.md §1)."""
    return amount.quantize(PENNY, rounding=ROUND_HALF_UP)


def tax_on(net: Decimal, percent: Decimal) -> Decimal:
    """Return the tax on a line's net amount, rounded half-up to the penny."""
    return to_the_penny(net * percent / 100)


@lru_cache(maxsize=1024)  # a club has few prices
def in_words(amount: Decimal, currency: str) -> str:
    """Return an amount as people read it: `£1,234.50`, or `1,234.50 CHF` without a known sign."""
    figure = f"{abs(to_the_penny(amount)):,.2f}"
    sign = "-" if amount < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{figure}" if symbol else f"{sign}{figure} {currency}"
