"""Remind of invoices: each step once, the latest that is due, on the channels of the table.

The invoice is locked before its steps are read, so that two runs side by side take a step once. A
step is taken when it was taken on any channel: a new number does not bring it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.models import Invoice, InvoiceQuerySet, StepTaken
from billing.reach import channels_to
from billing.reminders import DAYS, Step, due_dates, from_on, step_due
from billing.words import STILL_TO_PAY, invoice_context
from bookings.services import Notice, messages_to
from egac.days import start_of
from notifications.services import Message, enqueue

TYPES = {
    Step.REMINDER: "payment_reminder",
    Step.FINAL_REMINDER: "payment_reminder",
    Step.OVERDUE: "payment_overdue",
}
# domain.md §5
CHANNELS = {
    Step.REMINDER: ("email", "whatsapp"),
    Step.FINAL_REMINDER: ("email", "whatsapp"),
    Step.OVERDUE: ("email",),
}
WORDS = {Step.REMINDER: "Reminder", Step.FINAL_REMINDER: "Final reminder"}
UNREACHABLE = (
    "Its customer has no usable e-mail address and no number that agreed to WhatsApp, so nobody "
    "can be reminded. Add an address."
)
NOT_ON_THESE = "This step goes by {channels} only, and the customer has none that can be used."


@dataclass(frozen=True)
class Reminded:
    """A step of an invoice and the messages it queued, or would; or why there are none."""

    invoice: Invoice
    step: Step | None
    messages: tuple[Message, ...] = ()
    why: str = ""
    problem: str = ""


def invoices_to_remind(on: date) -> InvoiceQuerySet:
    """Return the unpaid invoices with a step that is due on a business date and not yet taken."""
    due = [Q(due_within(step, on), ~Exists(taken_from(step))) for step in DAYS]
    return Invoice.objects.unpaid().filter(reduce(or_, due))


def due_within(step: Step, on: date) -> Q:
    """Return the condition of the invoices whose latest step is this one."""
    first, last = due_dates(step, on)
    return Q(due_on__range=(first or date.min, last))


def taken_from(step: Step) -> QuerySet[StepTaken]:
    """Return the step, or later ones, as an outer query's invoice has taken them."""
    return StepTaken.objects.filter(invoice=OuterRef("pk"), step__in=from_on(step))


def remind(ids: Sequence[int], *, on: date) -> list[Reminded]:
    """Take the steps of those of these invoices for which one is due, and queue their messages."""
    with transaction.atomic():
        rows = with_customers(invoices_to_remind(on).filter(pk__in=ids))
        locked = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
        reminded = steps_of(list(locked), on)
        StepTaken.objects.bulk_create(
            StepTaken(
                invoice=each.invoice,
                step=str(each.step),
                channel=message.payload["channel"],
                taken_on=on,
            )
            for each in reminded
            for message in each.messages
        )
        enqueue([message for each in reminded for message in each.messages])
    return reminded


def reminders_due(ids: Sequence[int], *, on: date) -> list[Reminded]:
    """Return what `remind` would do; nothing is written."""
    rows = with_customers(invoices_to_remind(on).filter(pk__in=ids))
    return steps_of(list(rows.order_by("pk")), on)


def with_customers(invoices: InvoiceQuerySet) -> InvoiceQuerySet:
    """Return the invoices with all that their words read."""
    with_bookings = invoices.select_related("customer", "booking__customer")
    return with_bookings.prefetch_related("booking__package")  # many have the same few


def steps_of(invoices: Sequence[Invoice], on: date) -> list[Reminded]:
    """Return the step of each invoice that is due, by what was taken until now."""
    taken: dict[int, set[str]] = {}
    for invoice_id, step in StepTaken.objects.filter(invoice__in=invoices).values_list(
        "invoice_id", "step"
    ):
        taken.setdefault(invoice_id, set()).add(step)
    steps = ((each, step_due(each.due_on, on, taken.get(each.pk, ()))) for each in invoices)
    return [reminder_of(invoice, step) for invoice, step in steps if step]


def reminder_of(invoice: Invoice, step: Step) -> Reminded:
    """Return a step with its messages, or with why there are none."""
    reachable = channels_to(invoice.customer)
    if not reachable:
        return Reminded(invoice, step, problem=UNREACHABLE)
    channels = [each for each in CHANNELS[step] if each in reachable]
    if not channels:
        names = " and ".join(CHANNELS[step])
        return Reminded(invoice, step, why=NOT_ON_THESE.format(channels=names))
    messages = messages_to(invoice.customer, notice_of(invoice, step), channels=channels)
    return Reminded(invoice, step, tuple(messages))


def notice_of(invoice: Invoice, step: Step) -> Notice:
    """Return what the customer is told, which is of use until the next step's day."""
    context: dict[str, Any] = dict(invoice_context(invoice))
    if step in WORDS:
        context["reminder"] = WORDS[step]
    return Notice(
        TYPES[step],
        context,
        key=key_of(invoice, step),
        relevance=STILL_TO_PAY,
        expires_at=useless_from(invoice.due_on, step),
    )


def key_of(invoice: Invoice, step: Step) -> str:
    return f"{TYPES[step]}/{invoice.number}/{step}"


def useless_from(due_on: date, step: Step) -> datetime | None:
    """Return when the next step takes a step's place, or None for the last one."""
    later = [days for days in DAYS.values() if days > DAYS[step]]
    return start_of(due_on + timedelta(days=min(later))) if later else None


def failed_reminder(invoice_id: int, reason: str) -> Reminded:
    """Return that the customer of one invoice could not be reminded."""
    invoice = with_customers(Invoice.objects.all()).get(pk=invoice_id)
    return Reminded(invoice, None, problem=f"It could not be reminded of: {reason}")
