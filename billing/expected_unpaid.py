"""Whom the jobs will remind, warn or lock in the days to come, decided by the same rules.

It is about the invoices that stand today, as if none of them were paid or cancelled.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from billing.access import bookings_to_look_at, live_bookings, oldest_unpaid
from billing.batches import BATCH
from billing.expected import Expected, in_order
from billing.models import Invoice, InvoiceQuerySet, StepTaken
from billing.reminders import DAYS, Access, Step, access_for, step_due
from billing.reminding import with_customers
from bookings.models import Booking

REMINDERS = "Reminders, unless it is paid"
OVERDUE = "Overdue notices, unless it is paid"
MOVES = {
    Access.ACTIVE: "Open again",
    Access.GRACE: "Bookings moved to grace, unless it is paid",
    Access.LOCKED: "Bookings locked, unless it is paid",
}


def alike_in_steps(first_on: date, last_on: date) -> Iterator[Sequence[int]]:
    """Yield the ids of the invoices of which run_escalation_orchestration reminds alike."""
    taken = StepTaken.objects.filter(invoice=OuterRef("pk")).order_by("step")
    same = due_by(last_on).values(
        "due_on",
        "currency",
        "total",
        "paid",
        taken=ArraySubquery(taken.values("step").distinct()),
    )
    yield from in_order(same)


def due_by(last_on: date) -> InvoiceQuerySet:
    """Return the unpaid invoices that take a step up to a day."""
    return Invoice.objects.unpaid().filter(due_on__lte=last_on - timedelta(days=min(DAYS.values())))


def reminders_of(
    ids: Sequence[int], first_on: date, last_on: date
) -> Iterator[tuple[int, Expected]]:
    """Yield the steps of invoices that run_escalation_orchestration will take, in order."""
    rows = with_customers(due_by(last_on)).prefetch_related("steps").order_by("pk")
    for start in range(0, len(ids), BATCH):
        for invoice in rows.filter(pk__in=ids[start : start + BATCH]):
            for line in _reminders_of(invoice, first_on, last_on):
                yield invoice.pk, line


def _reminders_of(invoice: Invoice, first_on: date, last_on: date) -> Iterator[Expected]:
    taken = {each.step for each in invoice.steps.all()}
    for on in _days(invoice.due_on, DAYS.values(), first_on, last_on):
        if step := step_due(invoice.due_on, on, taken):
            taken.add(step)
            section = OVERDUE if step is Step.OVERDUE else REMINDERS
            yield _about(invoice, on, section, f"{step.label.capitalize()}: {invoice.number}")


def alike_in_access(first_on: date, last_on: date) -> Iterator[Sequence[int]]:
    """Yield the ids of the bookings whose access the mover moves alike."""
    ids = bookings_to_look_at(last_on)
    unpaid = Invoice.objects.unpaid().filter(booking__in=ids)
    first = unpaid.order_by("booking_id", "due_on", "pk").distinct("booking_id")
    told = first.values_list("booking_id", "due_on", "currency", "total", "paid")
    oldest = {booking_id: rest for booking_id, *rest in told}
    alike = defaultdict(list)
    accesses = live_bookings().filter(pk__in=ids).values_list("pk", "access_status")
    for booking_id, access in accesses.order_by("pk"):
        alike[access, *oldest.get(booking_id, ())].append(booking_id)
    yield from alike.values()


def moves_of(ids: Sequence[int], first_on: date, last_on: date) -> Iterator[tuple[int, Expected]]:
    """Yield where the mover will move the access of bookings, both days included."""
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        oldest = oldest_unpaid(batch)
        bookings = live_bookings().filter(pk__in=batch).select_related("customer", "package")
        for booking in bookings.order_by("pk"):
            for line in _moves_of(booking, oldest.get(booking.pk), first_on, last_on):
                yield booking.pk, line


def _moves_of(
    booking: Booking, invoice: Invoice | None, first_on: date, last_on: date
) -> Iterator[Expected]:
    thresholds = {"grace_after": settings.GRACE_AFTER_DAYS, "lock_after": settings.LOCK_AFTER_DAYS}
    due_on = invoice.due_on if invoice else None
    access = Access(booking.access_status)
    for on in _days(due_on or first_on, thresholds.values(), first_on, last_on):
        new = access_for(due_on, on, **thresholds)
        if new == access:
            continue
        access = new
        if invoice is None or new is Access.ACTIVE:
            yield Expected(on, MOVES[new], booking, booking.title)
        else:
            yield _about(invoice, on, MOVES[new], f"{booking.title}: {invoice.number}")


def _days(due_on: date, days: Iterable[int], first_on: date, last_on: date) -> list[date]:
    """Return the days on which something can change: the first, and those after the due date."""
    later = {due_on + timedelta(days=each) for each in days}
    return [first_on, *sorted(on for on in later if first_on < on <= last_on)]


def _about(invoice: Invoice, on: date, section: str, what: str) -> Expected:
    return Expected(on, section, invoice.booking, what, invoice.left_to_pay, invoice.currency)
