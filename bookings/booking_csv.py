"""Bookings of another system as a CSV file: cleaned bookings and refused lines. Pure.

docs/bookings-import.md describes the columns.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import partial

from bookings.models import Plan
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
    shown,
)
from egac.money import SYMBOLS
from egac.outbox import Unsendable
from egac.providers.whatsapp import usable_number

COLUMNS = (
    "reference",
    "customer",
    "customer_reference",
    "email",
    "phone",
    "whatsapp_opted_in_on",
    "address",
    "package",
    "plan",
    "price",
    "currency",
    "weekdays",
    "start_time",
    "billing_anchor_on",
    "billed_through_on",
    "note",
)
REQUIRED = ("reference", "customer", "package", "plan", "price", "billed_through_on")

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PLANS = {"monthly": Plan.MONTHLY, "perclass": Plan.PER_CLASS}
CLOCK = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]00)?")
CURRENCY = re.compile(r"[A-Z]{3}")
AMOUNT = re.compile(r"([£€$]?)\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]{1,2})?")
LARGEST_PRICE = Decimal("99999999.99")
MOST_AHEAD_YEARS = 1


@dataclass(frozen=True)
class Reading:
    """What a file is read with: today, the currency and the region of what names none."""

    today: date
    currency: str
    region: str


@dataclass(frozen=True)
class Person:
    """The customer of a record."""

    name: str
    reference: str | None
    email: str
    phone: str
    whatsapp_opted_in_on: date | None
    address: str


@dataclass(frozen=True)
class CleanBooking:
    """A record that may become a booking."""

    line: int
    reference: str
    person: Person
    package: str
    plan: Plan
    price: Decimal
    currency: str
    weekdays: tuple[int, ...]
    starts_at_time: time | None
    billing_anchor_on: date | None
    billed_through_on: date
    note: str


Cleaned = CleanBooking | RefusedLine


def read_bookings(content: bytes) -> list[Record]:
    """Return the records of a file of bookings; raise UnusableFile where it is none."""
    return read_records(content, COLUMNS, required=REQUIRED)


def clean_bookings(records: Iterable[Record], reading: Reading) -> Iterator[Cleaned]:
    """Yield for each record the booking in it, or why there is none."""
    return clean_each(records, partial(clean_booking, reading=reading))


def clean_booking(record: Record, *, reading: Reading) -> CleanBooking:
    """Return the booking in a record; raise Unacceptable where there is none."""
    plan = _plan(record.cell("plan"))
    currency = _currency(record.cell("currency")) or reading.currency
    return CleanBooking(
        line=record.line,
        reference=_needed(record, "reference"),
        person=_person(record, reading),
        package=_needed(record, "package"),
        plan=plan,
        price=_price(record.cell("price"), currency),
        currency=currency,
        weekdays=_weekdays(record.cell("weekdays")),
        starts_at_time=_clock(record.cell("start_time")),
        billing_anchor_on=_anchor(record, plan),
        billed_through_on=_billed_through(record, reading.today),
        note=several_lines(record.cell("note")),
    )


def refuse_repeated(cleaned: Iterable[Cleaned]) -> Iterator[Cleaned]:
    """Yield the same, but refuse a reference that stands further up in the file already."""
    lines: dict[str, int] = {}
    for each in cleaned:
        if isinstance(each, CleanBooking) and each.reference in lines:
            first = lines[each.reference]
            reason = f"Its reference {shown(each.reference)} stands on line {first} already."
            yield RefusedLine(each.line, reason)
            continue
        if isinstance(each, CleanBooking):
            lines[each.reference] = each.line
        yield each


def _person(record: Record, reading: Reading) -> Person:
    email, phone = record.cell("email"), one_line(record.cell("phone"))
    opted_in_on = day_in(record.cell("whatsapp_opted_in_on"), column="whatsapp_opted_in_on")
    if opted_in_on and opted_in_on > reading.today:
        raise Unacceptable(f"{opted_in_on} lies in the future (whatsapp_opted_in_on).")
    if opted_in_on:
        _require_number(phone, reading.region)
    return Person(
        name=name_in(record.cell("customer")),
        reference=one_line(record.cell("customer_reference")) or None,
        email=address_in(email) if one_line(email) else "",
        phone=phone,
        whatsapp_opted_in_on=opted_in_on,
        address=several_lines(record.cell("address")),
    )


def _require_number(phone: str, region: str) -> None:
    try:
        usable_number(phone, region=region)
    except Unsendable:
        raise Unacceptable(
            f"It agreed to WhatsApp, but {shown(phone)} is no number (phone): correct it, or "
            "leave whatsapp_opted_in_on empty."
        ) from None


def _needed(record: Record, column: str) -> str:
    text = one_line(record.cell(column))
    if not text:
        raise Unacceptable(f"It has no {column}.")
    return text


def _plan(cell: str) -> Plan:
    text = one_line(cell)
    plan = PLANS.get(re.sub(r"[\W_]+", "", text.casefold()))
    if plan is None:
        raise Unacceptable(f"{shown(text)} is no plan: write monthly or per_class.")
    return plan


def _price(cell: str, currency: str) -> Decimal:
    text = one_line(cell)
    if not text:
        raise Unacceptable("It has no price. Write 0 where nothing is to be paid.")
    match = AMOUNT.fullmatch(text)
    if not match:
        raise Unacceptable(f"{shown(text)} is no price: write it like 42.00.")
    if match[1] and match[1] != SYMBOLS.get(currency):
        raise Unacceptable(f"The price {shown(text)} is not in {currency}: correct its currency.")
    price = Decimal(match[2].replace(",", "") + (match[3] or ""))
    if price > LARGEST_PRICE:
        raise Unacceptable(f"The price {shown(text)} is too large.")
    return price


def _currency(cell: str) -> str:
    text = one_line(cell).upper()
    if text and not CURRENCY.fullmatch(text):
        raise Unacceptable(f"{shown(text)} is no currency: write three letters like GBP.")
    return text


def _weekdays(cell: str) -> tuple[int, ...]:
    """Return the days of `Tue, Thursday` or `2 4`; 1 is Monday."""
    words = [word for word in re.split(r"[\s,;/&+.]+|\band\b", one_line(cell).casefold()) if word]
    return tuple(sorted({_weekday(word) for word in words}))


def _weekday(word: str) -> int:
    if word.isdecimal() and 1 <= int(word) <= 7:
        return int(word)
    singular = word.removesuffix("s") if len(word) > 4 else word
    found = [day for day in DAYS if len(word) >= 2 and day.startswith(singular)]
    if len(found) != 1:
        raise Unacceptable(f"{shown(word)} is no day of the week: write for example Tue, Thu.")
    return DAYS.index(found[0]) + 1


def _clock(cell: str) -> time | None:
    text = one_line(cell)
    if not text:
        return None
    match = CLOCK.fullmatch(text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise Unacceptable(f"{shown(text)} is no time (start_time): write it like 18:30.")
    return time(int(match[1]), int(match[2]))


def _anchor(record: Record, plan: Plan) -> date | None:
    anchor_on = day_in(record.cell("billing_anchor_on"), column="billing_anchor_on")
    if plan == Plan.MONTHLY and anchor_on is None:
        raise Unacceptable("It is monthly and has no billing_anchor_on: the first billing date.")
    return anchor_on


def _billed_through(record: Record, today: date) -> date:
    on = day_in(record.cell("billed_through_on"), column="billed_through_on")
    if on is None:
        raise Unacceptable("It has no billed_through_on: the last day that is billed already.")
    if on.year > today.year + MOST_AHEAD_YEARS:
        raise Unacceptable(f"{on} lies too far ahead (billed_through_on).")
    return on
