"""What customers are told, on the channels that reach them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bookings.consent import number_of
from bookings.models import Customer
from egac.mail import usable_address
from egac.outbox import Unsendable
from notifications.services import USUAL, Message, email_payload, whatsapp_payload

CHANNELS = ("email", "whatsapp")

# The names of the checks that a message about a booking or a class asks before it goes. Its
# context holds `booking_id` or `session_id`; to a customer, messages_to adds `customer_id`.
BOOKING_STANDS = "booking_stands"
CLASS_IS_AHEAD = "class_is_ahead"


@dataclass(frozen=True)
class Notice:
    """What a customer is told, on whatever channel. `key` is unique for it.

    `relevance`, `expires_at` and `priority` are those of the queue's Message.
    """

    type: str
    context: Mapping[str, Any]
    key: str
    relevance: str = ""
    expires_at: datetime | None = None
    priority: int = USUAL


def messages_to(
    customer: Customer, notice: Notice, *, channels: Sequence[str] = CHANNELS
) -> list[Message]:
    """Return one message for each of the channels on which the customer can be reached.

    Each channel adds its name to the notice's key. The list is empty where there is neither an
    address nor a number that agreed to WhatsApp. Raises Unsendable where the context has a hole.
    """
    payloads = []
    context = {**notice.context, "customer_id": customer.pk}  # by which the timeline finds it
    if "email" in channels and can_have_email(customer):
        payloads.append(email_payload(notice.type, to=customer.email, context=context))
    if "whatsapp" in channels and can_have_whatsapp(customer):
        payloads.append(whatsapp_payload(notice.type, to=customer.phone, context=context))
    return [
        Message(
            notice.type,
            payload,
            key=f"{notice.key}/{payload['channel']}",
            relevance=notice.relevance,
            expires_at=notice.expires_at,
            priority=notice.priority,
        )
        for payload in payloads
    ]


def can_have_email(customer: Customer) -> bool:
    """Return whether the customer has an address that can be written to."""
    try:
        usable_address(customer.email)
    except Unsendable:
        return False
    return True


def can_have_whatsapp(customer: Customer) -> bool:
    """Return whether the customer agreed to WhatsApp and has a number that can be written to."""
    return customer.whatsapp_opted_in_at is not None and bool(number_of(customer))
