"""The verbs of billing: bill what is due, issue one invoice, cancel it, record what was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from billing.access import give_back_access
from billing.amounts import MOST, Line, totals_of
from billing.batches import Watch
from billing.drafts import Bill, Draft
from billing.escalation import escalate_overdue_bookings, run_escalation_orchestration
from billing.generate import generate_monthly_invoices, generate_t5_invoices
from billing.issuing import issued_key_of, lock_counter, number, store, twin_of
from billing.models import Invoice, InvoiceCounter, InvoiceLine, Payment
from billing.reach import channels_to
from billing.reminders import Step
from billing.reminding import key_of
from billing.words import invoice_context
from bookings.models import Booking
from bookings.services import CHANNELS, Notice, Refused, messages_to
from egac.days import business_date
from egac.money import in_words, to_the_penny
from notifications.services import correct_waiting, enqueue

__all__ = [
    "Received",
    "Refused",
    "Watch",
    "Written",
    "cancel_invoice",
    "draft_invoice",
    "escalate_overdue_bookings",
    "generate_monthly_invoices",
    "generate_t5_invoices",
    "issue_invoice",
    "issue_invoice_once",
    "record_payment",
    "run_escalation_orchestration",
]


@dataclass(frozen=True)
class Received:
    """Money that came in, as staff read it from the bank's list or their own."""

    amount: Decimal
    currency: str
    paid_on: date
    method: Payment.Method
    reference: str = ""


@dataclass(frozen=True)
class Written:
    """A line that staff write; the price is of one, without tax."""

    description: str
    unit_price: Decimal
    quantity: int = 1


def draft_invoice(booking: Booking, *, written: Sequence[Written], on: date, due_on: date) -> Draft:
    """Return the invoice that these lines make, taxed as every other; it has no number yet.

    Raises Refused where a line says nothing, or a price or the whole cannot be asked.
    """
    lines = tuple(
        Line(each.description, each.unit_price, settings.BILLING_TAX_RATE, each.quantity)
        for each in written
    )
    _refuse_unless_askable(lines)
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    bill = Bill(
        Invoice.Kind.MANUAL,
        lines,
        booking.currency,
        billed_for=f"{lines[0].description}{more}",
        issued_on=on,
        due_on=due_on,
    )
    return Draft(booking, bill)


def issue_invoice(
    booking: Booking, *, written: Sequence[Written], on: date, due_on: date
) -> Invoice:
    """Issue an invoice that staff wrote, and tell the customer; raises Refused as its draft."""
    draft = draft_invoice(booking, written=written, on=on, due_on=due_on)
    with transaction.atomic():
        return _issue(draft, lock_counter(on.year))


def issue_invoice_once(
    booking: Booking, *, written: Sequence[Written], on: date, due_on: date
) -> Invoice:
    """Issue it as issue_invoice does, but not on a second press of the same button.

    Raises Refused where the very same one was issued that day already.
    """
    draft = draft_invoice(booking, written=written, on=on, due_on=due_on)
    with transaction.atomic():
        counter = lock_counter(on.year)
        if twin := twin_of(draft):
            raise Refused(f"{twin.number} says the same and was issued today already. Open that.")
        return _issue(draft, counter)


def _issue(draft: Draft, counter: InvoiceCounter) -> Invoice:
    [key] = store(number([draft], counter), counter)
    return Invoice.objects.get(pk=key)


def _refuse_unless_askable(lines: Sequence[Line]) -> None:
    if not lines or not all(line.description.strip() and line.quantity > 0 for line in lines):
        raise Refused("An invoice needs a line, and each line a text and a number above 0.")
    if any(
        line.unit_price < 0 or line.unit_price != to_the_penny(line.unit_price) for line in lines
    ):
        raise Refused("A price is 0 or more and exact to the penny. Correct the lines.")
    if totals_of(lines).total > MOST:
        raise Refused(f"An invoice asks for {MOST:,} at most. Write several.")


def cancel_invoice(invoice: Invoice, *, why: str, seen: datetime | None = None) -> Invoice:
    """Cancel an unpaid invoice; it keeps its number, and its classes can be billed again.

    A month is not billed again by itself: the booking is billed through it already. Access that
    the invoice kept is given back. With `seen`, the `updated_at` that a page showed, an invoice
    that changed since then stays. Raises Refused.
    """
    with transaction.atomic():
        locked = _lock(invoice, seen)
        _refuse_unless_pending(locked)
        if locked.paid:
            came_in = in_words(locked.paid, locked.currency)
            raise Refused(
                f"{came_in} came in for {locked.number} already, so it stays. Pay it back or "
                "issue another invoice for the difference."
            )
        InvoiceLine.objects.filter(invoice=locked).update(is_live=False)
        _change(locked, status=Invoice.Status.CANCELLED, cancelled_because=why, cancelled_at=Now())
        _give_back_access(locked, actor="cancelled invoice")
    return locked


def record_payment(
    invoice: Invoice, received: Received, *, by: str, seen: datetime | None = None
) -> Payment:
    """Record money for an invoice; the payment that completes it thanks the customer.

    Access that the invoice kept is given back. Raises Refused for an invoice that is paid or
    cancelled, another currency, or more than is left to pay; and with `seen` as cancel_invoice
    does.
    """
    with transaction.atomic():
        locked = _lock(invoice, seen)
        _refuse_unless_pending(locked)
        _refuse_unless_fitting(locked, received)
        payment = Payment.objects.create(
            invoice=locked,
            amount=received.amount,
            currency=received.currency,
            paid_on=received.paid_on,
            method=received.method,
            reference=received.reference,
            recorded_by=by,
        )
        _count(locked, payment)
    return payment


def _count(invoice: Invoice, payment: Payment) -> None:
    """Add a payment to its invoice; waiting messages ask for less, and the last is thanked for."""
    paid = invoice.paid + payment.amount
    if paid < invoice.total:
        _change(invoice, paid=paid)
        correct_waiting(_keys_about(invoice), changed=invoice_context(invoice))
        return
    _change(invoice, paid=paid, status=Invoice.Status.PAID, paid_on=payment.paid_on)
    notice = Notice(
        "payment_received",
        invoice_context(invoice),
        key=f"payment_received/{invoice.number}",
    )
    enqueue(messages_to(invoice.customer, notice, channels=channels_to(invoice.customer)))
    _give_back_access(invoice, actor="payment")


def _keys_about(invoice: Invoice) -> list[str]:
    """Return the keys under which messages may wait that say what is left to pay."""
    notices = [issued_key_of(invoice), *(key_of(invoice, step) for step in Step)]
    return [f"{notice}/{channel}" for notice in notices for channel in CHANNELS]


def _give_back_access(invoice: Invoice, *, actor: str) -> None:
    """Let its booking's access follow an invoice that has just ended."""
    today = business_date(invoice.updated_at)  # on the database's clock
    give_back_access(invoice.booking_id, on=today, actor=actor)


def _lock(invoice: Invoice, seen: datetime | None) -> Invoice:
    """Lock the booking and then the invoice, in the order of whoever moves the booking's access."""
    Booking.objects.select_for_update(no_key=True).get(pk=invoice.booking_id)
    rows = Invoice.objects.select_related("customer", "booking__package")
    locked = rows.select_for_update(of=("self",)).get(pk=invoice.pk)
    if seen is not None and locked.updated_at != seen:
        raise Refused(f"{locked.number} was changed by somebody else meanwhile. Look at it again.")
    return locked


def _refuse_unless_pending(invoice: Invoice) -> None:
    if invoice.status != Invoice.Status.PENDING:
        raise Refused(f"{invoice.number} is {invoice.get_status_display()} already.")


def _refuse_unless_fitting(invoice: Invoice, received: Received) -> None:
    if received.currency != invoice.currency:
        raise Refused(
            f"{invoice.number} is in {invoice.currency}, and the payment in {received.currency}. "
            f"Record what came in as {invoice.currency}."
        )
    if received.amount <= 0 or received.amount != to_the_penny(received.amount):
        raise Refused("A payment is above 0 and exact to the penny. Write what came in.")
    if received.amount > invoice.left_to_pay:
        left = in_words(invoice.left_to_pay, invoice.currency)
        more = in_words(received.amount, invoice.currency)
        raise Refused(
            f"{more} is more than the {left} left to pay of {invoice.number}. "
            f"Record {left} here and the rest for another invoice."
        )


def _change(invoice: Invoice, **changes: object) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(**changes, updated_at=Now())
    invoice.refresh_from_db(fields=[*changes, "updated_at"])
