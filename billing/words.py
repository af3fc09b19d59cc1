"""What an invoice says: the same words in its e-mail, its WhatsApp message, on its page and PDF."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from billing.drafts import NewInvoice
from billing.links import invoice_link
from billing.models import Invoice
from egac.days import day_in_words
from egac.money import in_words

STILL_TO_PAY = "invoice still to pay"  # the name of the check below


def invoice_context(invoice: Invoice | NewInvoice) -> dict[str, str]:
    """Return what the messages about an invoice say of it (the names of notifications.catalogue).

    `amount` is what is left to pay; `paid_on` is "" while something is. It reads the invoice's
    customer, booking and package: select them with the invoices where there are many.
    """
    locks_on = invoice.due_on + timedelta(days=settings.LOCK_AFTER_DAYS)
    return {
        "name": invoice.customer.name,
        "booking": invoice.booking.title,
        "invoice_number": invoice.number,
        "billed_for": invoice.billed_for,
        "amount": in_words(invoice.left_to_pay, invoice.currency),
        "due_on": day_in_words(invoice.due_on),
        "locks_on": day_in_words(locks_on),
        "paid_amount": in_words(invoice.paid, invoice.currency),
        "paid_on": day_in_words(invoice.paid_on) if invoice.paid_on else "",
        "invoice_link": invoice_link(invoice.number),
    }


def invoices_named(contexts: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the status of each invoice that the contexts name, by its number."""
    numbers = {str(context.get("invoice_number", "")) for context in contexts}
    return dict(Invoice.objects.filter(number__in=numbers).values_list("number", "status"))


def why_not_to_pay(context: dict[str, Any], statuses: Mapping[str, str]) -> str | None:
    """Return why the invoice of a message needs no payment any more, or None while it does."""
    number = context.get("invoice_number", "")
    status = statuses.get(number)
    if status is None:
        return f"There is no invoice {number}."
    if status == Invoice.Status.PAID:
        return f"Invoice {number} is paid."
    return f"Invoice {number} was cancelled." if status == Invoice.Status.CANCELLED else None
