"""The mover: lateness takes a booking's access, payment gives it back.

A move, its line of history, its message and its alert are one transaction. The booking is locked
before its invoices are read, as it is by whoever records a payment: what was paid until then is
seen, and a later payment gives the access back itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction

from billing.access_words import Change, messages_about
from billing.models import Invoice
from billing.reminders import Access, access_for, days_late
from bookings.models import Booking, BookingEvent, BookingQuerySet
from bookings.services import Move, move_access
from notifications.services import Message, enqueue


@dataclass(frozen=True)
class Moved:
    """A move that was made, or would be, and the messages that tell of it; or why it failed."""

    booking: Booking
    change: Change | None = None
    messages: tuple[Message, ...] = ()
    problem: str = ""


def bookings_to_look_at(on: date) -> list[int]:
    """Return the ids of the bookings with a late invoice, and of those that are not active."""
    late = Invoice.objects.unpaid().filter(due_on__lt=on).values_list("booking_id", flat=True)
    moved = live_bookings().exclude(access_status=Access.ACTIVE).values_list("pk", flat=True)
    return sorted({*live_bookings().filter(pk__in=late).values_list("pk", flat=True), *moved})


def live_bookings() -> BookingQuerySet:
    """Return the bookings whose access means anything."""
    return Booking.objects.exclude(status=Booking.Status.CANCELLED)


def changes_due(bookings: Iterable[Booking], on: date) -> list[Change]:
    """Return the moves that are due on a business date."""
    chosen = list(bookings)
    oldest = oldest_unpaid([booking.pk for booking in chosen])
    changes = [_change(booking, oldest.get(booking.pk), on) for booking in chosen]
    return [change for change in changes if change.old != change.new]


def oldest_unpaid(booking_ids: Sequence[int]) -> dict[int, Invoice]:
    """Return of each of these bookings the unpaid invoice that was due first."""
    unpaid = Invoice.objects.unpaid().filter(booking__in=booking_ids)
    first = unpaid.order_by("booking_id", "due_on", "pk").distinct("booking_id")
    found = first.select_related("customer", "booking__package")
    return {invoice.booking_id: invoice for invoice in found}


def _change(booking: Booking, invoice: Invoice | None, on: date) -> Change:
    new = access_for(
        invoice.due_on if invoice else None,
        on,
        grace_after=settings.GRACE_AFTER_DAYS,
        lock_after=settings.LOCK_AFTER_DAYS,
    )
    return Change(booking, Access(booking.access_status), new, invoice, _why(new, invoice, on))


def _why(new: Access, invoice: Invoice | None, on: date) -> str:
    if invoice is None or new is Access.ACTIVE:
        return f"Nothing on it is {settings.GRACE_AFTER_DAYS} days late."
    return f"Invoice {invoice.number} is {days_late(invoice.due_on, on)} days late."


def move_bookings(ids: Sequence[int], *, on: date, actor: str) -> list[Moved]:
    """Move those of these bookings whose lateness asks for it, and queue what tells of it."""
    return _move(ids, on=on, actor=actor, is_meant=lambda change: True)


def give_back_access(booking_id: int, *, on: date, actor: str) -> None:
    """Give a booking the access back that its invoices no longer keep from it; take none away."""
    _move([booking_id], on=on, actor=actor, is_meant=lambda change: change.gives_back)


def _move(
    ids: Sequence[int], *, on: date, actor: str, is_meant: Callable[[Change], bool]
) -> list[Moved]:
    with transaction.atomic():
        rows = live_bookings().filter(pk__in=ids).select_related("customer", "package")
        # In the order of their keys, so that two movers never wait for each other.
        locked = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
        changes = {each.booking.pk: each for each in changes_due(locked, on) if is_meant(each)}
        moves = [Move(key, each.old, each.new, each.why) for key, each in changes.items()]
        events = move_access(moves, actor=actor)
        moved = [told(changes[event.booking_id], event) for event in events]
        enqueue([message for each in moved for message in each.messages])
    return moved


def moves_due(ids: Sequence[int], *, on: date) -> list[Moved]:
    """Return what `move_bookings` would do; nothing is written."""
    rows = live_bookings().filter(pk__in=ids).select_related("customer", "package")
    return [told(change, None) for change in changes_due(rows.order_by("pk"), on)]


def told(change: Change, event: BookingEvent | None) -> Moved:
    """Return a move with its messages, keyed by its line of history; a move to come has none."""
    messages = messages_about(change, line=event.pk if event else None)
    return Moved(change.booking, change, tuple(messages))


def failed_move(booking_id: int, reason: str) -> Moved:
    """Return that the access of one booking could not be moved."""
    booking = Booking.objects.select_related("customer", "package").get(pk=booking_id)
    return Moved(booking, problem=f"Its access could not be moved: {reason}")
