"""Find customers, and what points at them, by what staff type."""

from django.db.models import Q

from bookings.models import Customer
from egac.people_in_tables import found_among
from egac.search import keys_of


def customers_found(term: str) -> Q:
    """Return the condition of the customers with such a name, or with this address or number.

    The reference of another system finds its customer too.
    """
    return found_among(Customer.objects.all(), term) | Q(reference=term)


def of_customers_found(term: str) -> Q:
    """Return the condition of the rows that point at a customer who is found."""
    return Q(customer__in=keys_of(Customer.objects.filter(customers_found(term))))
