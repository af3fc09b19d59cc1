"""What becomes of the cells of a file of bookings, without a database."""

from contextlib import suppress
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.booking_csv import (
    COLUMNS,
    CleanBooking,
    Cleaned,
    Reading,
    clean_bookings,
    read_bookings,
)
from egac.csv_files import RefusedLine, UnusableFile

READING = Reading(date(2026, 11, 24), "GBP", "GB")
GOOD = {
    "reference": "B-1",
    "customer": "Zoë Hart",
    "package": "Junior running",
    "plan": "monthly",
    "price": "42",
    "billing_anchor_on": "2025-09-03",
    "billed_through_on": "2026-11-02",
}


def judged(**cells: str) -> Cleaned:
    """Return what becomes of one record, whose other cells are good."""
    values = {**GOOD, **cells}
    row = ['"' + values.get(column, "").replace('"', '""') + '"' for column in COLUMNS]
    content = f"{','.join(COLUMNS)}\n{','.join(row)}\n".encode()
    (only,) = clean_bookings(read_bookings(content), READING)
    return only


def cleaned(**cells: str) -> CleanBooking:
    booking = judged(**cells)
    assert isinstance(booking, CleanBooking), booking
    return booking


def refused(**cells: str) -> str:
    line = judged(**cells)
    assert isinstance(line, RefusedLine), line
    return line.reason


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("", ()),
        ("Tue", (2,)),
        ("tuesdays", (2,)),
        ("Thu, Tue", (2, 4)),
        ("Mondays and Wednesdays", (1, 3)),
        ("mo/we/fr", (1, 3, 5)),
        ("7 1 1", (1, 7)),
        ("Tues. & Thurs.", (2, 4)),
    ],
)
def test_days_are_read_as_people_write_them(cell: str, days: tuple[int, ...]) -> None:
    assert cleaned(weekdays=cell).weekdays == days


@pytest.mark.parametrize("cell", ["Someday", "T", "0", "8", "Tueday", "s", "and then"])
def test_what_is_no_day_is_refused(cell: str) -> None:
    assert "is no day of the week" in refused(weekdays=cell)


def test_a_day_at_the_end_of_the_calendar_is_refused() -> None:
    assert "9999-12-31 lies after 2099" in refused(billing_anchor_on="9999-12-31")


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("42", "42"),
        ("42.5", "42.5"),
        ("£1,042.00", "1042.00"),
        ("£ 8.50", "8.50"),
        ("0", "0"),
    ],
)
def test_prices_are_read_as_people_write_them(cell: str, price: str) -> None:
    assert cleaned(price=cell).price == Decimal(price)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "It has no price"),
        ("-1", "is no price"),
        ("4.555", "is no price"),
        ("1,04.00", "is no price"),
        ("free", "is no price"),
        ("€42", "is not in GBP"),
        ("100000000", "is too large"),
        ("٤٢", "is no price"),
    ],
)
def test_what_is_no_price_is_refused(cell: str, reason: str) -> None:
    assert reason in refused(price=cell)


@pytest.mark.parametrize(
    ("cell", "at"), [("18:30", time(18, 30)), ("7.05", time(7, 5)), ("18:30:00", time(18, 30))]
)
def test_times_are_read_as_people_write_them(cell: str, at: time) -> None:
    assert cleaned(start_time=cell).starts_at_time == at


@pytest.mark.parametrize("cell", ["24:00", "18", "half past six", "18:60", "6:30pm"])
def test_what_is_no_time_is_refused(cell: str) -> None:
    assert "is no time (start_time)" in refused(start_time=cell)


def test_a_booking_per_class_needs_no_anchor() -> None:
    assert cleaned(plan="Per Class", billing_anchor_on="").plan == "per_class"


def test_an_absent_currency_is_the_clubs() -> None:
    assert (cleaned().currency, cleaned(currency="eur", price="€8").currency) == ("GBP", "EUR")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"reference": " "}, "It has no reference."),
        ({"package": ""}, "It has no package."),
        ({"customer": "—"}, "It has no name."),
        ({"email": "nobody"}, "'nobody' is none"),
        ({"billed_through_on": ""}, "It has no billed_through_on"),
        ({"billed_through_on": "2062-11-02"}, "lies too far ahead"),
        ({"billed_through_on": "02/13/2026"}, "is no such day (billed_through_on)"),
        ({"billing_anchor_on": ""}, "It is monthly and has no billing_anchor_on"),
        ({"whatsapp_opted_in_on": "2026-11-25", "phone": "07700 900123"}, "lies in the future"),
        ({"whatsapp_opted_in_on": "2026-01-01", "phone": "call mum"}, "'call mum' is no number"),
    ],
)
def test_a_refused_line_says_why(cells: dict[str, str], reason: str) -> None:
    assert reason in refused(**cells)


def test_a_surplus_cell_is_refused() -> None:
    content = b"reference,customer,package,plan,price,billed_through_on\nB,A,P,per_class,1,000,2\n"

    (line,) = clean_bookings(read_bookings(content), READING)

    assert isinstance(line, RefusedLine)
    assert "more fields than columns" in line.reason


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), max_size=18), max_size=4))
def test_any_cells_become_a_booking_or_a_sentence(rows: list[list[str]]) -> None:
    lines = [COLUMNS, *rows]
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in lines)

    with suppress(UnusableFile):
        for each in clean_bookings(read_bookings(text.encode(errors="ignore")), READING):
            assert isinstance(each, CleanBooking) or each.reason.endswith(".")
