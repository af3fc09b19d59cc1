"""Access moves by compare-and-set: one line of history a move, whoever asks how often."""

import pytest

from bookings.models import Booking, BookingEvent
from bookings.services import Move, move_access
from tests.bookings.factories import BookingFactory, make_bookings
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db

Access = Booking.Access


def to_grace(booking: Booking) -> Move:
    return Move(booking.pk, Access.ACTIVE, Access.GRACE, "EGAC-2026-00042 is 8 days late")


def test_a_move_changes_the_access_and_writes_one_line() -> None:
    booking = BookingFactory.create()

    (event,) = move_access([to_grace(booking)], actor="escalate_overdue_bookings")

    booking.refresh_from_db()
    assert booking.access_status == Access.GRACE
    assert booking.events.get() == event
    assert (event.kind, event.old, event.new) == ("access", "active", "overdue_grace")
    assert event.actor == "escalate_overdue_bookings"
    assert event.why == "EGAC-2026-00042 is 8 days late"


def test_a_booking_that_stands_elsewhere_by_now_does_not_move() -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)

    events = move_access([to_grace(booking)], actor="staff")

    booking.refresh_from_db()
    assert events == []
    assert booking.access_status == Access.LOCKED
    assert not BookingEvent.objects.exists()


def test_many_bookings_move_each_its_own_way() -> None:
    first, second, third = make_bookings(3)
    Booking.objects.filter(pk=third.pk).update(access_status=Access.LOCKED)
    moves = [
        to_grace(first),
        Move(second.pk, Access.ACTIVE, Access.LOCKED),
        Move(third.pk, Access.LOCKED, Access.ACTIVE),
    ]

    events = move_access(moves, actor="staff")

    assert {event.booking_id: event.new for event in events} == {
        first.pk: "overdue_grace",
        second.pk: "overdue_locked",
        third.pk: "active",
    }
    stand = dict(Booking.objects.values_list("pk", "access_status"))
    assert stand == {event.booking_id: event.new for event in events}


def test_a_move_to_where_it_stands_is_none() -> None:
    booking = BookingFactory.create()

    assert move_access([Move(booking.pk, Access.ACTIVE, Access.ACTIVE)], actor="staff") == []


def test_a_moved_booking_has_changed() -> None:
    booking = BookingFactory.create(updated_at="2026-01-01T00:00:00Z")

    move_access([to_grace(booking)], actor="staff")

    assert Booking.objects.get().updated_at.year > 2025


@pytest.mark.django_db(transaction=True)
def test_eight_movers_at_once_move_a_booking_once() -> None:
    booking = BookingFactory.create()

    answers = side_by_side(8, lambda _: move_access([to_grace(booking)], actor="staff"))

    assert sorted(map(len, answers)) == [0] * 7 + [1]
    assert BookingEvent.objects.count() == 1
