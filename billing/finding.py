"""Find invoices and payments by what staff type."""

from django.db.models import Q

from billing.models import WORDS_OF_A_PAYMENT, WORDS_OF_AN_INVOICE, Invoice, Payment
from bookings.services import of_customers_found
from egac.search import any_of, with_words


def invoices_found(term: str) -> Q:
    """Return the condition of the invoices with this number, or of a customer who is found."""
    return any_of(
        Invoice.objects.filter(with_words(term, WORDS_OF_AN_INVOICE)),
        Invoice.objects.filter(of_customers_found(term)),
    )


def payments_found(term: str) -> Q:
    """Return the condition of the payments with this reference, or for such an invoice."""
    invoices = Invoice.objects.filter(invoices_found(term)).order_by()
    return any_of(
        Payment.objects.filter(with_words(term, WORDS_OF_A_PAYMENT)),
        Payment.objects.filter(invoice__in=invoices.values("pk")),
    )
