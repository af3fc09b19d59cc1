"""What a queued message about a class asks before it goes."""

from collections.abc import Callable
from typing import Any

import pytest

from bookings.joining import tell_joiners, tell_of_meeting
from bookings.models import ClassSession, Enrolment
from bookings.services import cancel_bookings, cancel_sessions
from notifications.models import Notification
from notifications.passes import run_pass
from tests.bookings.factories import BookingFactory, EnrolmentFactory, class_in
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = ClassSession.Status
WITH_A_LINK = {"meeting_id": 7, "join_link": "https://zoom.example/j/7"}
NO_PLACE = "The booking was cancelled, or its place in the class was given up."


def place_in(**lesson: Any) -> Enrolment:
    """Return a place in a class online whose meeting is made."""
    session = class_in(online=True, **WITH_A_LINK, **lesson)
    return EnrolmentFactory.create(session=session)


def cancel_booking(place: Enrolment) -> None:
    cancel_bookings([place.booking_id], because="Moved away", actor="sam")


def take_place_back(place: Enrolment) -> None:
    place.delete()


def send() -> None:
    run_pass(limit=10, seconds=30)


@pytest.mark.parametrize(
    ("lesson", "why"),
    [
        ({"hours": 5, "status": Status.CANCELLED}, "The class was cancelled."),
        ({"hours": -2}, "The class is over."),
        ({"hours": -0.1, "ends_at": None}, "The class is over."),
    ],
)
@in_threads
def test_a_join_link_that_lost_its_point_is_not_sent(
    provider: ProviderServer, lesson: dict[str, Any], why: str
) -> None:
    tell_joiners(place_in(**lesson).session)
    Notification.objects.update(expires_at=None)

    send()

    row = Notification.objects.get()
    assert (row.status, row.reason, row.last_error) == ("cancelled", "irrelevant", why)
    assert provider.resend.calls == []


@pytest.mark.parametrize("give_up", [cancel_booking, take_place_back])
@pytest.mark.parametrize("hours", [5, -0.5], ids=["ahead", "begun"])
@in_threads
def test_a_join_link_of_who_has_no_place_any_more_is_not_sent(
    provider: ProviderServer, give_up: Callable[[Enrolment], None], hours: float
) -> None:
    place = place_in(hours=hours)
    tell_joiners(place.session)

    give_up(place)
    send()

    row = Notification.objects.get()
    assert (row.status, row.reason, row.last_error) == ("cancelled", "irrelevant", NO_PLACE)
    assert provider.resend.calls == []


@in_threads
def test_a_join_link_goes_to_who_has_another_place_in_the_class(provider: ProviderServer) -> None:
    place = place_in(hours=5)
    other = BookingFactory.create(customer=place.booking.customer)
    EnrolmentFactory.create(session=place.session, booking=other)
    tell_joiners(place.session)

    cancel_booking(place)
    send()

    assert len(provider.resend.accepted) == 1


@pytest.mark.parametrize("lesson", [{"hours": 5}, {"hours": -0.5}, {"hours": 5, "ends_at": None}])
@in_threads
def test_a_join_link_of_a_class_that_is_ahead_is_sent(
    provider: ProviderServer, lesson: dict[str, Any]
) -> None:
    tell_joiners(place_in(**lesson).session)

    send()

    assert len(provider.resend.accepted) == 1


@in_threads
def test_a_host_link_asks_for_no_place(provider: ProviderServer) -> None:
    tell_of_meeting(
        class_in(hours=5, online=True, host_link="https://zoom.example/s/7", **WITH_A_LINK)
    )

    send()

    assert len(provider.resend.accepted) == 1


@in_threads
def test_everyone_booked_hears_that_a_class_is_cancelled(provider: ProviderServer) -> None:
    place = place_in(hours=5)

    cancel_sessions([place.session_id], because="Snow", actor="sam")
    send()

    [sent] = Notification.objects.all()
    assert (sent.type, sent.status) == ("class_cancelled", "completed")
