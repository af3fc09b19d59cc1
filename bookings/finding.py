"""Find customers, and what points at them, by what staff type."""

from django.db.models import Q

from bookings.models import WORDS_OF_A_CUSTOMER, Customer
from egac.search import keys_of, with_words


def customers_found(term: str) -> Q:
    """Return the condition of the customers of whom a word begins so, for each word."""
    return with_words(term, WORDS_OF_A_CUSTOMER)


def of_customers_found(term: str) -> Q:
    """Return the condition of the rows that point at a customer who is found."""
    return Q(customer__in=keys_of(Customer.objects.filter(customers_found(term))))
