"""Which of our customers agreed to be written to by WhatsApp, by their numbers."""

from django.db import connection

from bookings.models import Customer
from egac.numbers import DIGITS_COMPARED, in_e164

# Asked for every claim of the queue, so it is written once and takes all numbers in one parameter.
LOOK_UP = f"""
SELECT phone, whatsapp_opted_in_at IS NOT NULL FROM customers
WHERE right(regexp_replace(phone, '[^0-9]', '', 'g'), {DIGITS_COMPARED}) = ANY(%s)
"""


def number_of(customer: Customer) -> str:
    """Return the customer's number in E.164, or "" where it cannot be written to."""
    return in_e164(customer.phone)


def agreed_among(numbers: set[str]) -> dict[str, bool]:
    """Return for each of the numbers that customers have whether one of them agreed; in E.164.

    A family shares a number: who of them agreed has agreed for the number.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, [[number[-DIGITS_COMPARED:] for number in numbers]])
        found = cursor.fetchall()
    agreed: dict[str, bool] = {}
    for phone, has_agreed in found:
        number = in_e164(phone)
        if number in numbers:
            agreed[number] = agreed.get(number, False) or has_agreed
    return agreed
