"""Find customers, and what points at them, by what staff type."""

from django.db.models import Q

from bookings.models import WORDS_OF_A_CUSTOMER, Customer
from egac.search import with_words


def customers_found(term: str) -> Q:
    """Return the condition of the customers of whom a word begins so, for each word."""
    return with_words(term, WORDS_OF_A_CUSTOMER)


def of_customers_found(term: str, *, by: str = "customer") -> Q:
    """Return the condition of the rows that point by that name at a customer who is found."""
    customers = Customer.objects.filter(customers_found(term))
    return Q(**{f"{by}__in": customers.order_by().values("pk")})
