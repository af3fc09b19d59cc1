"""What became of invoices, told to their own pages and to the timelines of people."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product

from django.db.models import QuerySet
from django.urls import reverse

from billing.models import Invoice, Payment
from billing.reminders import DAYS
from billing.reminding import TYPES
from bookings.services import CHANNELS
from egac.console.correspondence import latest
from egac.console.pages import MOST_EVENTS, Event, staff_actions_on_all
from egac.money import in_words
from egac.people import Identity, Told
from notifications.models import Notification

ONCE = ("invoice_issued", "payment_received")  # types whose key is the invoice's number alone


def messages_of(invoice: Invoice) -> QuerySet[Notification]:
    """Return the messages that were queued about an invoice and are still kept.

    Their keys are known, so however long the queue is they are found at once.
    """
    stems = [f"{type}/{invoice.number}" for type in ONCE]
    stems += [f"{TYPES[step]}/{invoice.number}/{step}" for step in DAYS]
    keys = [f"{stem}/{channel}" for stem, channel in product(stems, CHANNELS)]
    return Notification.objects.filter(key__in=keys).order_by("pk")


def events_of(invoice: Invoice) -> Iterator[Event]:
    """Tell what became of one invoice: issued, paid bit by bit, cancelled."""
    asked = in_words(invoice.total, invoice.currency)
    yield Event(invoice.created_at, f"Issued over {asked}", "off", invoice.billed_for)
    for payment in invoice.payments.all()[:MOST_EVENTS]:
        yield _came_in(payment, invoice)
    if invoice.cancelled_at:
        yield Event(invoice.cancelled_at, "Cancelled", "bad", invoice.cancelled_because)


def _came_in(payment: Payment, invoice: Invoice) -> Event:
    amount = in_words(payment.amount, payment.currency)
    by = payment.get_method_display()
    details = [f"on {payment.paid_on:%-d %B %Y}", payment.reference, payment.recorded_by]
    return Event(
        payment.recorded_at,
        f"{amount} came in by {by}",
        "good",
        " · ".join(filter(None, details)),
    )


def invoices_of(person: Identity, now: datetime) -> Told:
    """Tell of every invoice and every payment."""
    invoices = Invoice.objects.filter(customer__in=person.keys("customer"))
    rows, left_out = latest(invoices.prefetch_related("payments").order_by("-pk"))
    events = [event for invoice in rows for event in _told_of(invoice)]
    actions = staff_actions_on_all(Invoice, (invoice.pk for invoice in rows))
    return Told([*events, *actions], left_out)


def _told_of(invoice: Invoice) -> Iterator[Event]:
    url = reverse("admin:billing_invoice_change", args=[invoice.pk])
    for event in events_of(invoice):
        what = f"Invoice {invoice.number}: {event.what}"
        yield Event(event.at, what, event.tone, event.details, url)
