"""By which channels a customer can be written to about money."""

from bookings.models import Customer
from bookings.services import can_have_whatsapp
from egac.mail import usable_address
from egac.outbox import Unsendable


def channels_to(customer: Customer) -> list[str]:
    """Return the channels on which a message reaches the customer; empty where there is none.

    An address that is none counts as missing: a bill or a payment must not fail because of it.
    """
    channels = ["email"] if _has_address(customer) else []
    return [*channels, "whatsapp"] if can_have_whatsapp(customer) else channels


def _has_address(customer: Customer) -> bool:
    try:
        usable_address(customer.email)
    except Unsendable:
        return False
    return True
