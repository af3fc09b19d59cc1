"""Who has a place, who came, what took place, and what is cancelled: each by compare-and-set."""

from typing import Any

import pytest

from bookings.models import ClassSession, Enrolment
from bookings.services import cancel_bookings, cancel_sessions, complete_sessions, mark_attendance
from egac.staff import CHANGED_MEANWHILE
from notifications.models import Notification
from tests.bookings.factories import CustomerFactory, EnrolmentFactory, class_in
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Attendance = Enrolment.Attendance
Status = ClassSession.Status


def cancel(*sessions: ClassSession) -> Any:
    ids = [each.pk for each in sessions]
    return cancel_sessions(ids, because="The hall is closed.", actor="sam")


# Came


def mark(*places: Enrolment, attendance: Attendance = Attendance.ATTENDED, **more: Any) -> Any:
    ids = [each.pk for each in places]
    return mark_attendance(ids, attendance=attendance, actor="sam", **more)


def test_attendance_is_marked_for_many_and_says_by_whom() -> None:
    lesson = class_in()
    places = [EnrolmentFactory.create(session=lesson) for _ in range(3)]

    assert mark(*places).changed == 3

    marked = Enrolment.objects.values_list("attendance", "changed_by")
    assert set(marked) == {("attended", "sam")}


def test_a_mark_can_be_corrected() -> None:
    place = EnrolmentFactory.create(session=class_in(), attendance=Attendance.MISSED)

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
    place = EnrolmentFactory.create(session=class_in(**lesson), attendance=attendance)

    changed = mark(place)

    place.refresh_from_db()
    assert (changed.skipped, place.attendance) == ({why: 1}, attendance)


def test_a_mark_on_an_old_page_does_not_undo_a_newer_one() -> None:
    place = EnrolmentFactory.create(session=class_in())
    place.refresh_from_db()
    seen = {place.pk: place.updated_at}
    mark(place, attendance=Attendance.MISSED)

    changed = mark(place, seen=seen)

    place.refresh_from_db()
    assert (changed.skipped, place.attendance) == ({CHANGED_MEANWHILE: 1}, "missed")


# Took place


def test_a_class_that_has_begun_can_have_taken_place() -> None:
    lesson = class_in()

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
    assert complete_sessions([class_in(**lesson).pk], actor="sam").skipped == {why: 1}


# Cancelled


def test_everyone_booked_is_told_once_on_each_channel() -> None:
    lesson = class_in(5)
    agreed, quiet = CustomerFactory.create(agreed=True), CustomerFactory.create()
    for customer in (agreed, agreed, quiet):
        EnrolmentFactory.create(session=lesson, booking__customer=customer)
    EnrolmentFactory.create(session=class_in(5))

    cancel(lesson)

    start = f"class_cancelled/{lesson.pk}"
    assert set(Notification.objects.values_list("key", flat=True)) == {
        f"{start}/{agreed.pk}/email",
        f"{start}/{agreed.pk}/whatsapp",
        f"{start}/{quiet.pk}/email",
    }


def test_the_message_says_which_class_and_why() -> None:
    lesson = class_in(5, title="Junior running")
    EnrolmentFactory.create(session=lesson, booking__customer__name="Zoë Hart")

    cancel(lesson)

    row = Notification.objects.get()
    context = row.payload["context"]
    assert (context["name"], context["class_name"]) == ("Zoë Hart", "Junior running")
    assert context["cancelled_because"] == "The hall is closed."
    assert row.expires_at == lesson.ends_at


def test_a_cancelled_class_says_who_cancelled_it_and_why() -> None:
    lesson = class_in(5)

    cancel(lesson)

    lesson.refresh_from_db()
    assert (lesson.status, lesson.closed_by) == (Status.CANCELLED, "sam")
    assert lesson.closed_because == "The hall is closed."


def test_cancelling_twice_tells_once() -> None:
    place = EnrolmentFactory.create(session=class_in(5))
    cancel(place.session)

    assert cancel(place.session).skipped == {"cancelled already": 1}
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("hours", [-2, -50])
def test_nobody_is_told_of_a_class_that_is_over(hours: float) -> None:
    place = EnrolmentFactory.create(session=class_in(hours))

    assert cancel(place.session).changed == 1
    assert not Notification.objects.exists()


def test_a_class_that_took_place_is_not_cancelled() -> None:
    assert cancel(class_in(status=Status.COMPLETED)).skipped == {"took place": 1}


def test_who_gave_the_place_up_is_not_told() -> None:
    place = EnrolmentFactory.create(session=class_in(5))
    cancel_bookings([place.booking_id], because="moved away", actor="sam")

    cancel(place.session)

    assert not Notification.objects.exists()


@in_threads
def test_eight_presses_at_once_tell_once() -> None:
    place = EnrolmentFactory.create(session=class_in(5))

    answers = side_by_side(8, lambda _: cancel(place.session).changed)

    assert sum(answers) == Notification.objects.count() == 1
