"""The invented club with the invoices of a month, issued by the jobs themselves, saved once."""

from datetime import date, datetime, timedelta

from django.db import transaction

from billing.demo import NIGHTS, Fate, fates
from billing.models import Invoice, Payment
from billing.periods import ONE_DAY, billing_date
from billing.services import (
    Received,
    cancel_invoice,
    escalate_overdue_bookings,
    generate_monthly_invoices,
    generate_t5_invoices,
    record_payment,
)
from bookings.models import Booking, BookingEvent
from bookings.services import seed_demo as seed_bookings
from egac.days import business_date, start_of
from egac.money import to_the_penny
from invites.services import seed_demo as seed_invites
from notifications.models import Notification

ACTOR = "seed_demo"
AT_NIGHT, AT_NOON = timedelta(hours=2), timedelta(hours=12)
TO_BE_SENT = timedelta(minutes=2)


def seed_demo(now: datetime) -> dict[str, int]:
    """Fill empty tables with the invented club, once; return how many of what it made.

    Its invoices are those that the nightly jobs would have issued in the month behind; of them
    some are paid, some late, some keep a booking locked. Raises the Refused of the app in whose
    tables a row stands that is not invented, and leaves nothing behind then.
    """
    with transaction.atomic():
        enquiries, customers = seed_invites(now), seed_bookings(now)
        invoices = 0 if Invoice.objects.exists() else seed_invoices(business_date(now))
    return {"enquiries": enquiries, "customers": customers, "invoices": invoices}


def seed_invoices(today: date) -> int:
    """Bill the month behind night by night, then let happen what became of it."""
    unbill_the_current_period()
    for back in range(NIGHTS, 0, -1):
        bill_a_night(today - timedelta(days=back))
    issued = Invoice.objects.pending().order_by("pk")
    for key, fate in fates(issued, today).items():
        carry_out(Invoice.objects.get(pk=key), fate)
    for invoice in Invoice.objects.filter(issued_on__lt=today - ONE_DAY):
        let_messages_be_sent(invoice)
    escalate_overdue_bookings(today)
    return issued.model.objects.count()


def unbill_the_current_period() -> None:
    """Set the day that a monthly booking is billed through one period back, new ones aside."""
    newly = BookingEvent.objects.filter(kind=BookingEvent.Kind.CONFIRMED).values("booking")
    bookings = Booking.objects.confirmed().monthly().exclude(pk__in=newly)
    for booking in bookings.filter(billing_anchor_on__isnull=False):
        assert booking.billing_anchor_on is not None
        assert booking.billed_through_on is not None
        day, next_on = booking.billing_anchor_on.day, booking.billed_through_on + ONE_DAY
        month = next_on.replace(day=1) - ONE_DAY
        began_on = billing_date(day, year=month.year, month=month.month)
        bookings.filter(pk=booking.pk).update(billed_through_on=began_on - ONE_DAY)


def bill_a_night(night: date) -> None:
    """Run the jobs that issue invoices as they ran on a night, and let it have been then."""
    generate_t5_invoices(night)
    generate_monthly_invoices(night)
    at = start_of(night) + AT_NIGHT
    Invoice.objects.filter(issued_on=night).update(created_at=at, updated_at=at)


def carry_out(invoice: Invoice, fate: Fate) -> None:
    """Cancel an invoice, or record what was paid for it on its day."""
    if fate.paid_on is None:
        cancel_invoice(invoice, why="She was ill for the whole month.")
        return
    amount = to_the_penny(invoice.total / 2) if fate.in_part else invoice.total
    received = Received(
        amount, invoice.currency, fate.paid_on, Payment.Method.BANK_TRANSFER, invoice.number
    )
    payment = record_payment(invoice, received, by=ACTOR)
    at = start_of(fate.paid_on) + AT_NOON
    Payment.objects.filter(pk=payment.pk).update(recorded_at=at)


def let_messages_be_sent(invoice: Invoice) -> None:
    """Let the messages about an invoice have gone out when it was issued, and when it was paid."""
    _sent(f"invoice_issued/{invoice.number}/", at=start_of(invoice.issued_on) + AT_NIGHT)
    if invoice.paid_on:
        _sent(f"payment_received/{invoice.number}/", at=start_of(invoice.paid_on) + AT_NOON)


def _sent(key: str, *, at: datetime) -> None:
    sent_at = at + TO_BE_SENT
    Notification.objects.filter(key__startswith=key).update(
        status=Notification.Status.COMPLETED,
        attempts=1,
        created_at=at,
        updated_at=sent_at,
        sent_at=sent_at,
    )
