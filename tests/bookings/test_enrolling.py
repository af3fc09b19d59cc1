"""Who has a place in a class: confirmed, not locked, once, and told how to join."""

from typing import Any

import pytest

from bookings.joining import tell_joiners
from bookings.models import Booking, ClassSession, Enrolment
from bookings.services import Refused, cancel_bookings, enrol
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, EnrolmentFactory, class_in
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = ClassSession.Status


def test_confirmed_bookings_get_a_place_each() -> None:
    bookings = [BookingFactory.create() for _ in range(3)]

    changed = enrol([each.pk for each in bookings], session=class_in(5), actor="sam")

    assert changed.changed == 3
    assert set(Enrolment.objects.values_list("booking", "attendance", "changed_by")) == {
        (each.pk, "expected", "sam") for each in bookings
    }


def test_enrolling_twice_gives_one_place() -> None:
    place = EnrolmentFactory.create()

    changed = enrol([place.booking_id], session=place.session, actor="sam")

    assert (changed.changed, changed.skipped) == (0, {"enrolled already": 1})


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        ({"status": Booking.Status.PENDING}, "not confirmed"),
        ({"status": Booking.Status.CANCELLED}, "not confirmed"),
        ({"access_status": Booking.Access.LOCKED}, "locked"),
    ],
)
def test_who_may_not_come_in_gets_no_place(standing: dict[str, Any], why: str) -> None:
    booking = BookingFactory.create(**standing)

    assert enrol([booking.pk], session=class_in(5), actor="sam").skipped == {why: 1}


def test_a_cancelled_class_takes_nobody() -> None:
    closed = class_in(5, status=Status.CANCELLED)

    with pytest.raises(Refused, match="is cancelled"):
        enrol([BookingFactory.create().pk], session=closed, actor="sam")


def test_who_is_enrolled_after_the_meeting_was_made_gets_its_link() -> None:
    lesson = class_in(5, online=True, meeting_id=7, join_link="https://zoom.example/j/7")
    first, second = BookingFactory.create(), BookingFactory.create()

    enrol([first.pk], session=lesson, actor="sam")
    enrol([second.pk], session=lesson, actor="sam")

    rows = Notification.objects.filter(type="class_notification")
    assert sorted(row.recipient for row in rows) == sorted(
        [first.customer.email, second.customer.email]
    )


@pytest.mark.parametrize("was", ["completed", "cancelled"])
def test_who_cancels_and_books_again_gets_the_join_link_once_more(was: str) -> None:
    lesson = class_in(5, online=True, meeting_id=7, join_link="https://zoom.example/j/7")
    booking = BookingFactory.create()
    enrol([booking.pk], session=lesson, actor="sam")
    Notification.objects.update(status=was)
    cancel_bookings([booking.pk], because="By mistake", actor="sam")
    again = BookingFactory.create(customer=booking.customer)

    enrol([again.pk], session=lesson, actor="sam")
    tell_joiners(lesson)  # as the job does every five minutes

    rows = Notification.objects.filter(type="class_notification").order_by("pk")
    assert [row.status for row in rows] == [was, "pending"]


def test_two_places_in_one_class_are_told_of_once() -> None:
    lesson = class_in(5, online=True, meeting_id=7, join_link="https://zoom.example/j/7")
    first = BookingFactory.create()
    second = BookingFactory.create(customer=first.customer)

    enrol([first.pk], session=lesson, actor="sam")
    enrol([second.pk], session=lesson, actor="sam")

    assert Notification.objects.filter(type="class_notification").count() == 1


@in_threads
def test_eight_at_once_enrol_a_booking_once() -> None:
    booking, lesson = BookingFactory.create(), class_in(5)

    answers = side_by_side(8, lambda _: enrol([booking.pk], session=lesson, actor="s").changed)

    assert sum(answers) == Enrolment.objects.count() == 1
