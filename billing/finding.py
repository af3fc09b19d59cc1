"""Find invoices and payments by what staff type."""

from django.db.models import Q

from billing.models import WORDS_OF_A_PAYMENT, WORDS_OF_AN_INVOICE, Invoice, Payment
from bookings.services import of_customers_found
from egac.search import any_of, keys_of, with_words


def invoices_found(term: str) -> Q:
    """Return the condition of the invoices with this number, or of a customer who is found."""
    of_customers = of_customers_found(term)
    if not any(map(str.isdecimal, term)):
        return of_customers  # no number, so a search for a name asks for customers alone
    numbered = Invoice.objects.filter(with_words(term, WORDS_OF_AN_INVOICE))
    return any_of(numbered, Invoice.objects.filter(of_customers))


def payments_found(term: str) -> Q:
    """Return the condition of the payments with this reference, or for an invoice that is found."""
    referred = Payment.objects.filter(with_words(term, WORDS_OF_A_PAYMENT))
    invoices = Invoice.objects.filter(invoices_found(term))
    return Q(pk__in=keys_of(referred)) | Q(invoice__in=keys_of(invoices))
