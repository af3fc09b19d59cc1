"""What the invoice jobs will bill in the days to come, decided by the same code that bills.

It is what is known today: who will attend, pay or cancel until then nobody knows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Case,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce, ExtractDay, Greatest, Length

from billing import classes, monthly
from billing.batches import BATCH
from billing.drafts import Draft
from billing.models import Invoice
from billing.monthly import Known
from billing.periods import periods_after, raised_from
from billing.runs import WAIVED
from billing.verdicts import Verdict
from bookings.models import Booking, BookingEvent, BookingQuerySet, ClassSession, Enrolment
from egac.days import business_date, span_in_words, start_of
from egac.money import in_words

INVOICES = "Invoices for a month"
CLASSES = "Invoices for classes"
CLASSES_TO_COME = "Invoices for classes, if everybody attends"
WAIVERS = "Months waived"
PROBLEMS = "Bookings that cannot be billed as they stand"
# Addresses that are usable for certain, where they are not too long; of all others Python tells.
PLAIN_ADDRESS = (
    r"^[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@[A-Za-z0-9]+([.-][A-Za-z0-9]+)*"
    r"\.[A-Za-z]{2,20}$"
)
LONGEST_PLAIN = 60


@dataclass(frozen=True)
class Expected:
    """One line of the month ahead: on which day, under which heading, whom it is about, what.

    `amount` is in `currency`; None where nothing is asked.
    """

    on: date
    section: str
    booking: Booking
    what: str
    amount: Decimal | None = None
    currency: str = ""

    @property
    def amount_in_words(self) -> str:
        return "" if self.amount is None else in_words(self.amount, self.currency)


def alike_in_months(first_on: date, last_on: date) -> Iterator[Sequence[int]]:
    """Yield the ids of the bookings about which generate_monthly_invoices decides alike.

    A verdict reads no more of a booking than what is grouped by here. Where it reads more, of a
    move of access or an invoice since the day it is billed through, or where only Python can tell
    whether the customer is reached, the booking stands alone.
    """
    bookings = monthly.to_bill(last_on).alias(
        length=Length("customer__email"),
        since=Coalesce("billed_through_on", Value(date.min)),
        is_known=Q(length__lte=LONGEST_PLAIN, customer__email__regex=PLAIN_ADDRESS)
        & ~Exists(
            BookingEvent.objects.filter(booking=OuterRef("pk"), at__date__gte=OuterRef("since"))
        )
        & ~Exists(
            Invoice.objects.live().filter(
                booking=OuterRef("pk"), period_ends_on__gt=OuterRef("since")
            )
        ),
    )
    same = bookings.values(
        "price",
        "currency",
        alone=Case(When(is_known=False, then="pk")),
        is_locked=Q(access_status=Booking.Access.LOCKED),
        is_told=Q(billed_through_on__isnull=False),
        has_package=Q(package__isnull=False),
        anchor_day=ExtractDay("billing_anchor_on"),
        through=Greatest(
            "billed_through_on",
            ExpressionWrapper(F("billing_anchor_on") - Value(1), output_field=DateField()),
        ),
    )
    yield from in_order(same)


def in_order(same: QuerySet[Any, Any]) -> list[list[int]]:
    """Return the ids of the rows whose values are the same, in order: the database would sort
    all the rows for that."""
    alike = same.annotate(ids=ArrayAgg("pk")).order_by()
    return sorted(sorted(ids) for ids in alike.values_list("ids", flat=True))


def months_of(ids: Sequence[int], first_on: date, last_on: date) -> Iterator[tuple[int, Expected]]:
    """Yield what generate_monthly_invoices will do about bookings, both days included."""
    for bookings in in_batches(monthly.to_bill(last_on).filter(pk__in=ids)):
        known = monthly.known_of(bookings)
        for booking in bookings:
            for on, verdict in runs_over(booking, known[booking.pk], first_on, last_on):
                for line in told(verdict, on=on, section=INVOICES):
                    yield booking.pk, line


def runs_over(
    booking: Booking, known: Known, first_on: date, last_on: date
) -> Iterator[tuple[date, Verdict]]:
    """Yield what the nightly runs do about a booking, each on what the one before has left.

    Only the nights on which something can happen are gone through.
    """
    on: date | None = first_on
    while on and on <= last_on:
        verdict = monthly.verdict_on(booking, on=on, known=known)
        yield on, verdict
        booking.billed_through_on = verdict.billed_through_on or booking.billed_through_on
        on = None if verdict.problem else next_look(booking, after=on)


def next_look(booking: Booking, *, after: date) -> date | None:
    """Return the next day on which a run may bill or waive a period of a booking."""
    anchor_on, billed_through_on = booking.billing_anchor_on, booking.billed_through_on
    if anchor_on is None or billed_through_on is None:
        return None
    period = next(periods_after(billed_through_on, anchor_on=anchor_on))
    raised_on = raised_from(period, lead_days=settings.BILLING_LEAD_DAYS)
    return min((day for day in (raised_on, period.starts_on) if day > after), default=None)


def each_with_classes(first_on: date, last_on: date) -> Iterator[Sequence[int]]:
    """Yield the id of each booking with classes to bill, alone: no two have the same classes."""
    past = classes.to_bill(first_on).values_list("pk", flat=True)
    to_come = places_to_come(first_on, last_on).values_list("booking", flat=True)
    yield from ([each] for each in sorted({*past, *to_come.distinct()}))


def classes_of(ids: Sequence[int], first_on: date, last_on: date) -> Iterator[tuple[int, Expected]]:
    """Yield what generate_t5_invoices will do: today with what took place, then day after day."""
    for bookings in in_batches(classes.to_bill(first_on).filter(pk__in=ids)):
        for verdict in classes.judge(bookings, first_on):
            for line in told(verdict, on=first_on, section=CLASSES):
                yield verdict.booking.pk, line
    for booking, places in classes_to_come(ids, first_on, last_on):
        on = business_date(places[0].session.starts_at) + timedelta(days=1)
        verdict = classes.verdict_on(booking, places, awaited=(), on=on)
        for line in told(verdict, on=on, section=CLASSES_TO_COME):
            yield booking.pk, line


def classes_to_come(
    ids: Sequence[int], first_on: date, last_on: date
) -> Iterator[tuple[Booking, list[Enrolment]]]:
    """Yield the places of each booking in the classes of each day, which the next day bills."""
    places = places_to_come(first_on, last_on).filter(booking__in=ids)
    by_day = places.order_by("booking", "session__starts_at", "pk")
    for (booking, _), group in groupby(
        by_day, key=lambda place: (place.booking, business_date(place.session.starts_at))
    ):
        yield booking, list(group)


def places_to_come(first_on: date, last_on: date) -> QuerySet[Enrolment]:
    """Return the places that confirmed per-class bookings have in classes, unless they missed."""
    in_time = Q(
        session__starts_at__gte=start_of(first_on), session__starts_at__lt=start_of(last_on)
    )
    bookings = Booking.objects.confirmed().per_class()
    places = Enrolment.objects.filter(in_time, booking__in=bookings)
    open_places = places.exclude(session__status=ClassSession.Status.CANCELLED)
    return open_places.exclude(attendance=Enrolment.Attendance.MISSED).select_related(
        "session", "booking__customer", "booking__package"
    )


def told(verdict: Verdict, *, on: date, section: str) -> Iterator[Expected]:
    """Yield what the month ahead says of a verdict."""
    booking = verdict.booking
    for draft in verdict.drafts:
        yield invoice_of(draft, on=on, section=section)
    for period in verdict.waived:
        days = span_in_words(period.starts_on, period.ends_on)
        yield Expected(on, WAIVERS, booking, f"{days}. {WAIVED}")
    if verdict.problem:
        yield Expected(on, PROBLEMS, booking, verdict.problem)


def invoice_of(draft: Draft, *, on: date, section: str) -> Expected:
    bill = draft.bill
    return Expected(on, section, draft.booking, bill.billed_for, bill.totals.total, bill.currency)


def in_batches(bookings: BookingQuerySet) -> Iterator[list[Booking]]:
    """Yield bookings with what a verdict reads of them, a batch at a time."""
    rows = bookings.select_related("customer").prefetch_related("package").order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk
