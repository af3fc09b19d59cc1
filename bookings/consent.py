"""Which of our customers agreed to be written to by WhatsApp, by their numbers."""

from django.conf import settings

from bookings.models import DIGITS_COMPARED, END_OF_PHONE, Customer
from egac.outbox import Unsendable
from egac.providers.whatsapp import usable_number


def number_of(customer: Customer) -> str:
    """Return the customer's number in E.164, or "" where it cannot be written to."""
    return in_e164(customer.phone)


def in_e164(phone: str) -> str:
    """Return a number in E.164, a national one read as one of PHONE_REGION; "" for no number."""
    try:
        return usable_number(phone, region=settings.PHONE_REGION)
    except Unsendable:
        return ""


def agreed_among(numbers: set[str]) -> dict[str, bool]:
    """Return for each of the numbers that customers have whether one of them agreed; in E.164.

    A family shares a number: who of them agreed has agreed for the number.
    """
    ends = {number[-DIGITS_COMPARED:] for number in numbers}
    rows = Customer.objects.order_by().alias(end=END_OF_PHONE).filter(end__in=ends)
    agreed: dict[str, bool] = {}
    for phone, agreed_at in rows.values_list("phone", "whatsapp_opted_in_at"):
        number = in_e164(phone)
        if number in numbers:
            agreed[number] = agreed.get(number, False) or agreed_at is not None
    return agreed
