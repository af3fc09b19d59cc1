"""Who may come in: the one way in which a booking's access moves."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from bookings.models import Booking, BookingEvent


@dataclass(frozen=True)
class Move:
    """A booking's access, from what it was seen to be to what it shall be; `why` for the history.

    `old` and `new` are values of Booking.Access.
    """

    booking_id: int
    old: str
    new: str
    why: str = ""


def move_access(moves: Sequence[Move], *, actor: str) -> list[BookingEvent]:
    """Move the access of those bookings that still stand where they were seen; each once.

    Returns the new line of history of every booking that moved. A message about a move is queued
    in the caller's transaction, keyed by that line, so that it is queued once.
    """
    chosen = {move.booking_id: move for move in moves if move.old != move.new}
    with transaction.atomic():
        rows = Booking.objects.filter(pk__in=chosen).order_by("pk")
        locked = rows.select_for_update(no_key=True)  # an invoice may point at them meanwhile
        standing = dict(locked.values_list("pk", "access_status"))
        moving = [move for key, move in chosen.items() if standing.get(key) == move.old]
        for new in {move.new for move in moving}:
            ids = [move.booking_id for move in moving if move.new == new]
            Booking.objects.filter(pk__in=ids).update(access_status=new, updated_at=Now())
        return BookingEvent.objects.bulk_create(
            BookingEvent(
                booking_id=move.booking_id,
                kind=BookingEvent.Kind.ACCESS,
                actor=actor,
                old=move.old,
                new=move.new,
                why=move.why,
            )
            for move in moving
        )
