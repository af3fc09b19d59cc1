"""Tax and rounding on each line, and totals that equal the lines shown."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from billing.amounts import Line, totals_of
from egac.money import in_words

prices = some.decimals(0, 100_000, places=2)
percents = some.decimals(0, 100, places=2)


def line(price: str, percent: str = "0", quantity: int = 1) -> Line:
    return Line("Junior running", Decimal(price), Decimal(percent), quantity)


@pytest.mark.parametrize(
    ("lines", "net", "tax", "total"),
    [
        ([line("33.33", "20", 3)], "99.99", "20.00", "119.99"),
        ([line("33.33", "20")] * 3, "99.99", "20.01", "120.00"),  # rounded on each line
        ([line("33.33", "0", 3)], "99.99", "0.00", "99.99"),
        ([line("0.00", "20")], "0.00", "0.00", "0.00"),
        ([line("0.01", "20")], "0.01", "0.00", "0.01"),
        ([line("0.02", "20")], "0.02", "0.00", "0.02"),
        ([line("0.03", "20")], "0.03", "0.01", "0.04"),
        ([line("0.10", "5")], "0.10", "0.01", "0.11"),  # half a penny goes up
        ([line("0.30", "5")], "0.30", "0.02", "0.32"),  # and again: not to the even one
        ([line("42.00", "17.5")], "42.00", "7.35", "49.35"),
        ([line("19.99", "100")], "19.99", "19.99", "39.98"),
        ([], "0.00", "0.00", "0.00"),
    ],
)
def test_amounts_are_rounded_half_up_on_each_line(
    lines: list[Line], net: str, tax: str, total: str
) -> None:
    totals = totals_of(lines)

    assert [str(totals.net), str(totals.tax), str(totals.total)] == [net, tax, total]


@pytest.mark.parametrize(
    ("currency", "words"),
    [("GBP", "£119.99"), ("EUR", "€119.99"), ("CHF", "119.99 CHF"), ("JPY", "119.99 JPY")],
)
def test_a_total_is_said_in_its_currency(currency: str, words: str) -> None:
    assert in_words(totals_of([line("33.33", "20", 3)]).total, currency) == words


@settings(deadline=None)
@given(some.lists(some.tuples(prices, percents, some.integers(1, 40)), max_size=8))
def test_totals_equal_the_sum_of_the_lines_as_they_are_shown(
    told: list[tuple[Decimal, Decimal, int]],
) -> None:
    lines = [Line("A class", *each) for each in told]

    totals = totals_of(lines)

    shown = [(Decimal(f"{each.net:.2f}"), Decimal(f"{each.tax:.2f}")) for each in lines]
    assert totals.net == sum(net for net, _ in shown)
    assert totals.tax == sum(tax for _, tax in shown)
    assert totals.total == sum(net + tax for net, tax in shown)
    assert all(each.net == each.unit_price * each.quantity for each in lines)
