"""What a queued message about a class asks before it goes."""

from typing import Any

import pytest

from bookings.models import Booking, ClassSession
from bookings.services import CLASS_IS_AHEAD
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.services import Message, email_payload, enqueue
from tests.bookings.factories import BookingFactory, class_in
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = ClassSession.Status


@pytest.mark.parametrize(
    ("lesson", "why"),
    [
        ({"hours": 5, "status": Status.CANCELLED}, "The class was cancelled."),
        ({"hours": -2}, "The class is over."),
        ({"hours": -0.1, "ends_at": None}, "The class is over."),
        ({"hours": 5}, "The booking was cancelled."),
    ],
)
@in_threads
def test_a_join_link_that_lost_its_point_is_not_sent(
    provider: ProviderServer, lesson: dict[str, Any], why: str
) -> None:
    booking = BookingFactory.create(status=Booking.Status.CANCELLED)
    queue_join_link(class_in(**lesson), booking)

    run_pass(limit=10, seconds=30)

    row = Notification.objects.get()
    assert (row.status, row.reason, row.last_error) == ("cancelled", "irrelevant", why)
    assert provider.resend.calls == []


@pytest.mark.parametrize("lesson", [{"hours": 5}, {"hours": -0.5}, {"hours": 5, "ends_at": None}])
@in_threads
def test_a_join_link_of_a_class_that_is_ahead_is_sent(
    provider: ProviderServer, lesson: dict[str, Any]
) -> None:
    queue_join_link(class_in(**lesson), BookingFactory.create())

    run_pass(limit=10, seconds=30)

    assert len(provider.resend.accepted) == 1


def queue_join_link(lesson: ClassSession, booking: Booking) -> None:
    context = {
        "session_id": lesson.pk,
        "booking_id": booking.pk,
        "name": "Amelia",
        "class_name": lesson.title,
        "starts_at": "today",
        "instructor": "Sam",
        "join_link": "https://zoom.example/j/1",
    }
    payload = email_payload("class_notification", to="a@families.example", context=context)
    enqueue([Message("class_notification", payload, key="join", relevance=CLASS_IS_AHEAD)])
