"""What generate_t5_invoices bills: classes of per-class bookings that took place (domain.md §4)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.amounts import MOST, Line
from billing.drafts import Bill, Draft
from billing.models import Invoice, InvoiceLine
from billing.verdicts import TOO_MUCH, Verdict, faults_of
from bookings.models import Booking, BookingQuerySet, ClassSession, Enrolment
from egac.days import business_date, day_in_words, instant_in_words, span_in_words, start_of

Attendance = Enrolment.Attendance
CAME = Q(attendance=Attendance.ATTENDED)


def took_place() -> Q:
    """Return which places in classes are billed.

    By T5_BILLS that is who attended, or everybody with a place in a session that took place. Who
    attended owes for it whatever became of the booking since; the rest only while it is confirmed.
    """
    if settings.T5_BILLS == "attended":
        return CAME
    is_held = Q(session__status=ClassSession.Status.COMPLETED)
    return CAME | is_held & Q(booking__status=Booking.Status.CONFIRMED)


def is_awaited() -> Q:
    """Return which places nobody can tell of yet: the register is not filled in."""
    nobody_said = (
        Q(attendance=Attendance.EXPECTED)
        if settings.T5_BILLS == "attended"
        else Q(session__status=ClassSession.Status.SCHEDULED)
    )
    return nobody_said & Q(booking__status=Booking.Status.CONFIRMED)


def unbilled(before: date) -> QuerySet[Enrolment]:
    """Return the places in classes that began before a business date and are on no live invoice."""
    on_a_line = InvoiceLine.objects.filter(enrolment=OuterRef("pk"), is_live=True)
    past = Enrolment.objects.filter(session__starts_at__lt=start_of(before))
    return past.exclude(session__status=ClassSession.Status.CANCELLED).filter(~Exists(on_a_line))


def to_bill(on: date) -> BookingQuerySet:
    """Return the per-class bookings with a class up to yesterday that is or may be to bill."""
    open_places = unbilled(on).filter(took_place() | is_awaited(), booking=OuterRef("pk"))
    return Booking.objects.per_class().filter(Exists(open_places))


def judge(bookings: Sequence[Booking], on: date) -> list[Verdict]:
    """Return what a run for a day does about each of these bookings, with two queries."""
    places = unbilled(on).filter(booking__in=bookings).select_related("session")
    of_bookings = defaultdict(list)
    for place in places.filter(took_place()).order_by("session__starts_at", "pk"):
        of_bookings[place.booking_id].append(place)
    awaited = defaultdict(list)
    for place in places.filter(is_awaited()).exclude(took_place()).order_by("session__starts_at"):
        awaited[place.booking_id].append(place)
    return [
        verdict_on(booking, of_bookings[booking.pk], awaited=awaited[booking.pk], on=on)
        for booking in bookings
    ]


def verdict_on(
    booking: Booking, places: Sequence[Enrolment], *, awaited: Sequence[Enrolment], on: date
) -> Verdict:
    """Bill the classes in one invoice; one without an end is reported, and the others billed."""
    skipped = (register_is_open(awaited),) if awaited else ()
    endless = [place for place in places if place.session.ends_at is None]
    whole = [place for place in places if place.session.ends_at is not None]
    faults = faults_of(booking) if whole else []
    drafts = (draft_of(booking, whole, on=on),) if whole and not faults else ()
    if any(draft.bill.totals.total > MOST for draft in drafts):
        faults, drafts = [TOO_MUCH], ()
    problem = " ".join([*faults, *map(has_no_end, endless)])
    return Verdict(booking, drafts=drafts, skipped=skipped, problem=problem)


def draft_of(booking: Booking, places: Sequence[Enrolment], *, on: date) -> Draft:
    """Return the invoice of classes, the earliest first, with a line for each."""
    assert booking.price is not None
    lines = tuple(
        Line(
            f"{place.session.title}, {instant_in_words(place.session.starts_at)}",
            booking.price,
            settings.BILLING_TAX_RATE,
            enrolment_id=place.pk,
        )
        for place in places
    )
    bill = Bill(
        Invoice.Kind.T5,
        lines,
        booking.currency,
        billed_for=lines[0].description if len(lines) == 1 else several(places),
        issued_on=on,
        due_on=on + timedelta(days=settings.T5_DUE_DAYS),
    )
    return Draft(booking, bill)


def several(places: Sequence[Enrolment]) -> str:
    """Return so many classes in words, for example `3 classes, 3 to 17 December 2026`."""
    first, last = (business_date(place.session.starts_at) for place in (places[0], places[-1]))
    when = f" on {day_in_words(first)}" if first == last else f", {span_in_words(first, last)}"
    return f"{len(places)} classes{when}"


def has_no_end(place: Enrolment) -> str:
    return (
        f"{place.session.title} on {instant_in_words(place.session.starts_at)} has no end. "
        "Write when it ended into the session."
    )


def register_is_open(places: Sequence[Enrolment]) -> str:
    first = instant_in_words(places[0].session.starts_at)
    classes = "1 class waits" if len(places) == 1 else f"{len(places)} classes wait"
    return f"{classes} for the register, from {first} on. Say who attended, or that it took place."
