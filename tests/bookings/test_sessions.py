"""Who has a place, who came, what took place, and what is cancelled: each by compare-and-set."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, ClassSession, Enrolment
from bookings.services import (
    CLASS_IS_AHEAD,
    Refused,
    cancel_bookings,
    cancel_sessions,
    complete_sessions,
    enrol,
    mark_attendance,
)
from egac.staff import CHANGED_MEANWHILE
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.services import Message, email_payload, enqueue
from tests.bookings.factories import (
    BookingFactory,
    ClassSessionFactory,
    CustomerFactory,
    EnrolmentFactory,
)
from tests.egac.threads import side_by_side
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Attendance = Enrolment.Attendance
Status = ClassSession.Status
HOUR = timedelta(hours=1)


def in_hours(hours: float) -> datetime:
    return timezone.now() + hours * HOUR


def session(hours: float = -2, **more: Any) -> ClassSession:
    """Return a class of one hour that begins in so many hours."""
    return ClassSessionFactory.create(starts_at=in_hours(hours), **more)


def cancel(*sessions: ClassSession) -> Any:
    ids = [each.pk for each in sessions]
    return cancel_sessions(ids, because="The hall is closed.", actor="sam")


# Enrolled


def test_confirmed_bookings_get_a_place_each() -> None:
    bookings = [BookingFactory.create() for _ in range(3)]

    changed = enrol([each.pk for each in bookings], session=session(5), actor="sam")

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

    assert enrol([booking.pk], session=session(5), actor="sam").skipped == {why: 1}


def test_a_cancelled_class_takes_nobody() -> None:
    closed = session(5, status=Status.CANCELLED)

    with pytest.raises(Refused, match="is cancelled"):
        enrol([BookingFactory.create().pk], session=closed, actor="sam")


def test_who_is_enrolled_after_the_meeting_was_made_gets_its_link() -> None:
    lesson = session(5, online=True, meeting_id=7, join_link="https://zoom.example/j/7")
    first, second = BookingFactory.create(), BookingFactory.create()

    enrol([first.pk], session=lesson, actor="sam")
    enrol([second.pk], session=lesson, actor="sam")

    rows = Notification.objects.filter(type="class_notification")
    assert sorted(row.recipient for row in rows) == sorted(
        [first.customer.email, second.customer.email]
    )


@in_threads
def test_eight_at_once_enrol_a_booking_once() -> None:
    booking, lesson = BookingFactory.create(), session(5)

    answers = side_by_side(8, lambda _: enrol([booking.pk], session=lesson, actor="s").changed)

    assert sum(answers) == Enrolment.objects.count() == 1


# Came


def mark(*places: Enrolment, attendance: Attendance = Attendance.ATTENDED, **more: Any) -> Any:
    ids = [each.pk for each in places]
    return mark_attendance(ids, attendance=attendance, actor="sam", **more)


def test_attendance_is_marked_for_many_and_says_by_whom() -> None:
    lesson = session()
    places = [EnrolmentFactory.create(session=lesson) for _ in range(3)]

    assert mark(*places).changed == 3

    marked = Enrolment.objects.values_list("attendance", "changed_by")
    assert set(marked) == {("attended", "sam")}


def test_a_mark_can_be_corrected() -> None:
    place = EnrolmentFactory.create(session=session(), attendance=Attendance.MISSED)

    assert mark(place).changed == 1


@pytest.mark.parametrize(
    ("lesson", "attendance", "why"),
    [
        ({"hours": 1}, "expected", "in a class that has not begun"),
        ({"status": Status.CANCELLED}, "expected", "in a cancelled class"),
        ({}, "attended", "marked so already"),
    ],
)
def test_attendance_that_cannot_be_says_why(
    lesson: dict[str, Any], attendance: str, why: str
) -> None:
    place = EnrolmentFactory.create(session=session(**lesson), attendance=attendance)

    changed = mark(place)

    place.refresh_from_db()
    assert (changed.skipped, place.attendance) == ({why: 1}, attendance)


def test_a_mark_on_an_old_page_does_not_undo_a_newer_one() -> None:
    place = EnrolmentFactory.create(session=session())
    place.refresh_from_db()
    seen = {place.pk: place.updated_at}
    mark(place, attendance=Attendance.MISSED)

    changed = mark(place, seen=seen)

    place.refresh_from_db()
    assert (changed.skipped, place.attendance) == ({CHANGED_MEANWHILE: 1}, "missed")


# Took place


def test_a_class_that_has_begun_can_have_taken_place() -> None:
    lesson = session()

    assert complete_sessions([lesson.pk], actor="sam").changed == 1

    lesson.refresh_from_db()
    assert (lesson.status, lesson.closed_by) == (Status.COMPLETED, "sam")
    assert lesson.closed_at is not None


@pytest.mark.parametrize(
    ("lesson", "why"),
    [
        ({"hours": 1}, "not begun yet"),
        ({"status": Status.COMPLETED}, "took place"),
        ({"status": Status.CANCELLED}, "cancelled already"),
    ],
)
def test_a_class_that_did_not_take_place_says_why(lesson: dict[str, Any], why: str) -> None:
    assert complete_sessions([session(**lesson).pk], actor="sam").skipped == {why: 1}


# Cancelled


def test_everyone_booked_is_told_once_on_each_channel() -> None:
    lesson = session(5)
    agreed, quiet = CustomerFactory.create(agreed=True), CustomerFactory.create()
    for customer in (agreed, agreed, quiet):
        EnrolmentFactory.create(session=lesson, booking__customer=customer)
    EnrolmentFactory.create(session=session(5))

    cancel(lesson)

    start = f"class_cancelled/{lesson.pk}"
    assert set(Notification.objects.values_list("key", flat=True)) == {
        f"{start}/{agreed.pk}/email",
        f"{start}/{agreed.pk}/whatsapp",
        f"{start}/{quiet.pk}/email",
    }


def test_the_message_says_which_class_and_why() -> None:
    lesson = session(5, title="Junior running")
    EnrolmentFactory.create(session=lesson, booking__customer__name="Zoë Hart")

    cancel(lesson)

    row = Notification.objects.get()
    context = row.payload["context"]
    assert (context["name"], context["class_name"]) == ("Zoë Hart", "Junior running")
    assert context["cancelled_because"] == "The hall is closed."
    assert row.expires_at == lesson.ends_at


def test_a_cancelled_class_says_who_cancelled_it_and_why() -> None:
    lesson = session(5)

    cancel(lesson)

    lesson.refresh_from_db()
    assert (lesson.status, lesson.closed_by) == (Status.CANCELLED, "sam")
    assert lesson.closed_because == "The hall is closed."


def test_cancelling_twice_tells_once() -> None:
    place = EnrolmentFactory.create(session=session(5))
    cancel(place.session)

    assert cancel(place.session).skipped == {"cancelled already": 1}
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("hours", [-2, -50])
def test_nobody_is_told_of_a_class_that_is_over(hours: float) -> None:
    place = EnrolmentFactory.create(session=session(hours))

    assert cancel(place.session).changed == 1
    assert not Notification.objects.exists()


def test_a_class_that_took_place_is_not_cancelled() -> None:
    assert cancel(session(status=Status.COMPLETED)).skipped == {"took place": 1}


def test_who_gave_the_place_up_is_not_told() -> None:
    place = EnrolmentFactory.create(session=session(5))
    cancel_bookings([place.booking_id], because="moved away", actor="sam")

    cancel(place.session)

    assert not Notification.objects.exists()


@in_threads
def test_eight_presses_at_once_tell_once() -> None:
    place = EnrolmentFactory.create(session=session(5))

    answers = side_by_side(8, lambda _: cancel(place.session).changed)

    assert sum(answers) == Notification.objects.count() == 1


# What a queued message about a class asks before it goes


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
    queue_join_link(session(**lesson), booking)

    run_pass(limit=10, seconds=30)

    row = Notification.objects.get()
    assert (row.status, row.reason, row.last_error) == ("cancelled", "irrelevant", why)
    assert provider.resend.calls == []


@pytest.mark.parametrize("lesson", [{"hours": 5}, {"hours": -0.5}, {"hours": 5, "ends_at": None}])
@in_threads
def test_a_join_link_of_a_class_that_is_ahead_is_sent(
    provider: ProviderServer, lesson: dict[str, Any]
) -> None:
    queue_join_link(session(**lesson), BookingFactory.create())

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
