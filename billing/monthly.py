"""What generate_monthly_invoices bills: the periods of monthly bookings (domain.md §4)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q

from billing.amounts import MOST, Line
from billing.drafts import Bill, Draft
from billing.models import Invoice
from billing.periods import (
    MOST_TO_CATCH_UP,
    Move,
    Outcome,
    OutOfStep,
    Period,
    due_periods,
    outcome_of,
)
from billing.verdicts import TOO_MUCH, Verdict, faults_of
from bookings.models import Booking, BookingEvent, BookingQuerySet
from egac.days import business_date, day_in_words, span_in_words
from egac.keys import with_keys

NO_ANCHOR = "It has no billing anchor. Write the first day that it is billed for."
NO_BILLED_THROUGH = (
    "Nobody said through which day it is billed. Write that day into the booking; for a new one "
    "it is the day before the anchor."
)


@dataclass(frozen=True)
class Known:
    """What is known of a booking beside its own row: its moves of access, what is billed."""

    moves: Sequence[Move] = ()
    billed: Mapping[Period, str] = field(default_factory=dict)  # to the invoice's number


def to_bill(on: date) -> BookingQuerySet:
    """Return the bookings with a period to raise on a day, and those of which nobody can tell."""
    last = on + timedelta(days=settings.BILLING_LEAD_DAYS)
    is_due = Q(billed_through_on__lt=last, billing_anchor_on__lte=last)
    cannot_tell = Q(billed_through_on=None) | Q(billing_anchor_on=None)
    return Booking.objects.confirmed().monthly().filter(is_due | cannot_tell)


def judge(bookings: Sequence[Booking], on: date) -> list[Verdict]:
    """Return what a run for a day does about each of these bookings, with three queries."""
    known = known_of(bookings)
    return [verdict_on(booking, on=on, known=known[booking.pk]) for booking in bookings]


def known_of(bookings: Sequence[Booking]) -> dict[int, Known]:
    """Return what is known of each booking beside its own row."""
    moves, billed = moves_of(bookings), billed_of(bookings)
    return {each.pk: Known(moves[each.pk], billed[each.pk]) for each in bookings}


def moves_of(bookings: Iterable[Booking]) -> dict[int, list[Move]]:
    """Return when each booking was locked and when it ceased to be, the earliest first."""
    are_of_them = with_keys((each.pk for each in bookings), of="booking")
    lines = BookingEvent.objects.filter(are_of_them, kind=BookingEvent.Kind.ACCESS)
    moves = defaultdict(list)
    for line in lines.order_by("at", "pk"):
        was, now = (word == Booking.Access.LOCKED for word in (line.old, line.new))
        if was != now:
            moves[line.booking_id].append(Move(business_date(line.at), was, now))
    return moves


def billed_of(bookings: Sequence[Booking]) -> dict[int, dict[Period, str]]:
    """Return the live invoices that reach beyond the day each booking is billed through.

    There are none, unless somebody set that day back.
    """
    told = [each.billed_through_on for each in bookings if each.billed_through_on]
    rows = Invoice.objects.live().filter(
        with_keys((each.pk for each in bookings), of="booking"),
        period_ends_on__gt=min(told, default=date.max),
    )
    billed: dict[int, dict[Period, str]] = defaultdict(dict)
    for invoice in rows.only("booking", "number", "period_starts_on", "period_ends_on"):
        if invoice.period_starts_on and invoice.period_ends_on:
            period = Period(invoice.period_starts_on, invoice.period_ends_on)
            billed[invoice.booking_id][period] = invoice.number
    return billed


def verdict_on(booking: Booking, *, on: date, known: Known) -> Verdict:
    """Return what a run for a day does about a booking: all its due periods, or none of them."""
    anchor_on, billed_through_on = booking.billing_anchor_on, booking.billed_through_on
    if anchor_on is None or billed_through_on is None:
        return Verdict(booking, problem=NO_ANCHOR if anchor_on is None else NO_BILLED_THROUGH)
    try:
        due = first_due(
            billed_through_on, anchor_on=anchor_on, on=on, lead_days=settings.BILLING_LEAD_DAYS
        )
    except OutOfStep:
        return Verdict(booking, problem=out_of_step(billed_through_on, anchor_on))
    if len(due) > MOST_TO_CATCH_UP:
        return Verdict(booking, problem=too_many(due))
    return verdict_on_periods(booking, due, on=on, known=known)


@lru_cache(maxsize=1024)  # a run asks the same few days of thousands of bookings
def first_due(
    billed_through_on: date, *, anchor_on: date, on: date, lead_days: int
) -> tuple[Period, ...]:
    """Return the due periods, of many one more than are caught up; raises OutOfStep."""
    periods = due_periods(billed_through_on, anchor_on=anchor_on, on=on, lead_days=lead_days)
    return tuple(islice(periods, MOST_TO_CATCH_UP + 1))


def verdict_on_periods(
    booking: Booking, due: Sequence[Period], *, on: date, known: Known
) -> Verdict:
    """Bill, waive or leave each of the due periods."""
    is_locked = booking.access_status == Booking.Access.LOCKED
    outcomes = {
        period: outcome_of(period, on=on, moves=known.moves, is_locked=is_locked) for period in due
    }
    reached = [period for period in due if outcomes[period] is not Outcome.WAIT]
    new = [period for period in reached if period not in known.billed]
    to_bill = [period for period in new if outcomes[period] is Outcome.BILL]
    problem = " ".join([*overlaps(new, known.billed), *(faults_of(booking) if to_bill else [])])
    if problem:
        return Verdict(booking, problem=problem)
    drafts = tuple(draft_of(booking, period, on=on) for period in to_bill)
    if any(draft.bill.totals.total > MOST for draft in drafts):
        return Verdict(booking, problem=TOO_MUCH)
    return Verdict(
        booking,
        drafts=drafts,
        waived=tuple(period for period in new if outcomes[period] is Outcome.WAIVE),
        skipped=(
            *(already_billed(known.billed[each], each) for each in reached if each not in new),
            *(waits(period) for period in due if period not in reached),
        ),
        billed_through_on=reached[-1].ends_on if reached else None,
    )


def draft_of(booking: Booking, period: Period, *, on: date) -> Draft:
    """Return the invoice of a period; it is due on its billing date, its first day."""
    assert booking.price is not None
    package = booking.package
    price = Price(booking.price, booking.currency, settings.BILLING_TAX_RATE)
    return Draft(booking, bill_of(package.name if package else "", price, period, on=on))


class Price(NamedTuple):
    """What a month of a booking costs."""

    net: Decimal
    currency: str
    tax_percent: Decimal


@lru_cache(maxsize=1024)  # thousands have the same few packages, prices and periods
def bill_of(package: str, price: Price, period: Period, *, on: date) -> Bill:
    billed_for = f"{package}, {span_in_words(period.starts_on, period.ends_on)}"
    return Bill(
        Invoice.Kind.MONTHLY,
        (Line(billed_for, price.net, price.tax_percent),),
        price.currency,
        billed_for=billed_for,
        issued_on=on,
        due_on=period.starts_on,
        period=(period.starts_on, period.ends_on),
    )


# Sentences for staff


def waits(period: Period) -> str:
    return (
        f"It is locked. The period from {day_in_words(period.starts_on)} is waived if it still is "
        "on that day, and billed as soon as it is not."
    )


def already_billed(number: str, period: Period) -> str:
    return f"{number} bills {span_in_words(period.starts_on, period.ends_on)} already."


def overlaps(periods: Iterable[Period], billed: Mapping[Period, str]) -> list[str]:
    """Return one sentence for each live invoice that bills a part of one of the periods."""
    return [
        f"{number} bills {span_in_words(other.starts_on, other.ends_on)}, which overlaps with the "
        f"period from {day_in_words(period.starts_on)}. Correct the anchor or the day that the "
        "booking is billed through."
        for period in periods
        for other, number in billed.items()
        if period.overlaps(other)
    ]


def out_of_step(billed_through_on: date, anchor_on: date) -> str:
    return (
        f"It is billed through {day_in_words(billed_through_on)}, but with its anchor on day "
        f"{anchor_on.day} no period begins on the day after. Correct the one or the other."
    )


def too_many(due: Sequence[Period]) -> str:
    return (
        f"More than {MOST_TO_CATCH_UP} periods are to be caught up, from "
        f"{day_in_words(due[0].starts_on)} on. Bill by hand what is owed, then set the day that "
        "the booking is billed through."
    )
