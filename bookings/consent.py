"""Which of our customers agreed to be written to by WhatsApp, by their numbers."""

from bookings.models import Customer
from egac.numbers import DIGITS_COMPARED, in_e164

# As notifications/consent.py asks for it; part of every claim of the queue.
OWNERS = f"""
SELECT phone, whatsapp_opted_in_at IS NOT NULL FROM customers
WHERE right(regexp_replace(phone, '[^0-9]', '', 'g'), {DIGITS_COMPARED}) = ANY({{ends}})
"""


def number_of(customer: Customer) -> str:
    """Return the customer's number in E.164, or "" where it cannot be written to."""
    return in_e164(customer.phone)
