"""What is told of a move of access: to the customer, and to staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from billing.alerts import staff_alerts
from billing.models import Invoice
from billing.reach import channels_to
from billing.reminders import Access
from billing.words import invoice_context, invoices_named, why_not_to_pay
from bookings.models import Booking
from bookings.services import Notice, bookings_named, messages_to
from notifications.services import URGENT, USUAL, Message

ACCESS_AS_TOLD = "access as told"  # the name of the check below
TYPES = {
    Access.ACTIVE: "access_restored",
    Access.GRACE: "access_grace",
    Access.LOCKED: "access_locked",
}
LEAST_LAST = (Access.ACTIVE, Access.GRACE, Access.LOCKED)
# domain.md §5
CHANNELS = {
    Access.ACTIVE: ("email",),
    Access.GRACE: ("email", "whatsapp"),
    Access.LOCKED: ("email", "whatsapp"),
}
HEADLINES = {
    Access.ACTIVE: "Open again",
    Access.GRACE: "Late",
    Access.LOCKED: "Locked",
}
NEXT_STEPS = {
    Access.ACTIVE: "Nothing: the customer may come again.",
    Access.GRACE: "Record the payment if it came in; otherwise the booking is locked in time.",
    Access.LOCKED: "Record the payment if it came in: that opens the booking again.",
}


@dataclass(frozen=True)
class Found:
    """What messages about access are about: bookings by id, statuses of invoices by number."""

    bookings: Mapping[int, Booking]
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A move that is due; `invoice` is the oldest unpaid one of the booking, if there is any."""

    booking: Booking
    old: Access
    new: Access
    invoice: Invoice | None
    why: str

    @property
    def gives_back(self) -> bool:
        return LEAST_LAST.index(self.new) < LEAST_LAST.index(self.old)


def messages_about(change: Change, *, line: int | None) -> list[Message]:
    """Return what customer and staff are told, keyed by the move's line of history.

    A move that is only looked at has no line yet.
    """
    key = f"{TYPES[change.new]}/{line or 'new'}"
    notice = Notice(
        TYPES[change.new],
        context_of(change),
        key=key,
        relevance=ACCESS_AS_TOLD,
        priority=URGENT if change.new is Access.ACTIVE else USUAL,
    )
    customer = change.booking.customer
    channels = [each for each in channels_to(customer) if each in CHANNELS[change.new]]
    to_customer = messages_to(customer, notice, channels=channels)
    return [*to_customer, *alerts_about(change, key=key, is_told=bool(to_customer))]


def context_of(change: Change) -> dict[str, Any]:
    """Return what the customer's message says, and what its check of relevance reads."""
    is_about_money = change.invoice is not None and change.new is not Access.ACTIVE
    return {
        **(invoice_context(change.invoice) if change.invoice and is_about_money else {}),
        "name": change.booking.customer.name,
        "booking": change.booking.title,
        "booking_id": change.booking.pk,
        "access": str(change.new),
    }


def alerts_about(change: Change, *, key: str, is_told: bool) -> list[Message]:
    """Return what staff are told of a move."""
    booking = change.booking
    details = [f"{booking.customer.name}, {booking.title}", change.why]
    if not is_told:
        details.append("The customer could not be told: there is no usable address.")
    return staff_alerts(
        f"{HEADLINES[change.new]}: {booking.customer.name}",
        details="\n".join(details),
        next_step=NEXT_STEPS[change.new],
        path=f"{reverse('admin:index')}bookings/booking/{booking.pk}/change/",
        key=f"staff_alert/{key}",
    )


def access_named(contexts: Sequence[dict[str, Any]]) -> Found:
    """Return the bookings and the invoices that the contexts name."""
    return Found(bookings_named(contexts), invoices_named(contexts))


def why_access_differs(context: dict[str, Any], found: Found) -> str | None:
    """Return why the access that a message tells of is no longer so, or None while it is."""
    booking = found.bookings.get(context.get("booking_id", 0))
    if booking is None:
        return "Its booking is gone."
    if booking.status == Booking.Status.CANCELLED:
        return "Its booking was cancelled."
    if booking.access_status != context.get("access"):
        return f"The access of its booking is {booking.get_access_status_display()} by now."
    return why_not_to_pay(context, found.statuses) if context.get("invoice_number") else None
