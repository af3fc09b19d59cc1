"""Whom the jobs will remind, warn or lock in the days to come, decided by the same rules.

It is about the invoices that stand today, as if none of them were paid or cancelled.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from django.conf import settings

from billing.access import bookings_to_look_at, live_bookings, oldest_unpaid
from billing.batches import BATCH
from billing.expected import Expected
from billing.models import Invoice
from billing.reminders import DAYS, Access, Step, access_for, step_due
from billing.reminding import with_customers
from bookings.models import Booking

REMINDERS = "Reminders, unless it is paid"
OVERDUE = "Overdue notices, unless it is paid"
MOVES = {
    Access.ACTIVE: "Open again",
    Access.GRACE: "To grace, unless it is paid",
    Access.LOCKED: "Locked, unless it is paid",
}


def expected_reminders(first_on: date, last_on: date) -> Iterator[Expected]:
    """Yield the steps that run_escalation_orchestration will take, both days included."""
    due = Invoice.objects.unpaid().filter(due_on__lte=last_on - timedelta(days=min(DAYS.values())))
    rows = with_customers(due).prefetch_related("steps").order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        for invoice in batch:
            yield from _reminders_of(invoice, first_on, last_on)
        last = batch[-1].pk


def _reminders_of(invoice: Invoice, first_on: date, last_on: date) -> Iterator[Expected]:
    taken = {each.step for each in invoice.steps.all()}
    for on in _days(invoice.due_on, DAYS.values(), first_on, last_on):
        if step := step_due(invoice.due_on, on, taken):
            taken.add(step)
            section = OVERDUE if step is Step.OVERDUE else REMINDERS
            yield _about(invoice, on, section, f"{step.label.capitalize()}: {invoice.number}")


def expected_moves(first_on: date, last_on: date) -> Iterator[Expected]:
    """Yield where the mover will move whose access, both days included."""
    ids = bookings_to_look_at(last_on)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        oldest = oldest_unpaid(batch)
        bookings = live_bookings().filter(pk__in=batch).select_related("customer", "package")
        for booking in bookings.order_by("pk"):
            yield from _moves_of(booking, oldest.get(booking.pk), first_on, last_on)


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
