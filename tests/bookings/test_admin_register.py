"""The register of a class: who came, marked on a page, and the same as a file."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from bookings.models import ClassSession, Enrolment
from tests.bookings.factories import EnrolmentFactory, class_in
from tests.bookings.staff_pages import SESSIONS, message_of, page_of
from tests.staff import login

pytestmark = pytest.mark.django_db

CANCEL, COMPLETE = f"{SESSIONS}cancel/", f"{SESSIONS}complete/"


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def register_of(operator: Client, session: ClassSession) -> dict[str, str]:
    """Return what the register would post as it is opened."""
    lines = operator.get(f"{SESSIONS}{session.pk}/register/").context["lines"]
    return {f"shown-{line['place'].pk}": line["shown"] for line in lines}


def test_the_register_marks_each_as_chosen(operator: Client) -> None:
    session = class_in()
    came, missed, left = (EnrolmentFactory.create(session=session) for _ in range(3))
    marks = {f"mark-{came.pk}": "attended", f"mark-{missed.pk}": "missed"}

    answer = operator.post(
        f"{SESSIONS}{session.pk}/register/",
        {**register_of(operator, session), **marks, f"mark-{left.pk}": "expected"},
        follow=True,
    )

    assert message_of(answer) == "2 marked."
    marked = dict(Enrolment.objects.values_list("pk", "attendance"))
    assert marked == {came.pk: "attended", missed.pk: "missed", left.pk: "expected"}
    assert LogEntry.objects.get().change_message == "Register: 2 marked."


def test_a_register_that_was_left_open_does_not_undo_a_mark(operator: Client) -> None:
    session = class_in()
    place = EnrolmentFactory.create(session=session)
    posted = register_of(operator, session)
    Enrolment.objects.update(attendance="missed", updated_at="2026-01-01T00:00:00Z")

    answer = operator.post(
        f"{SESSIONS}{session.pk}/register/",
        {**posted, f"mark-{place.pk}": "attended"},
        follow=True,
    )

    assert message_of(answer) == "0 marked. Skipped: 1 changed by somebody else meanwhile."
    assert Enrolment.objects.get().attendance == "missed"


def test_a_register_marks_nobody_of_another_class(operator: Client) -> None:
    session, other = class_in(), EnrolmentFactory.create(session=class_in())
    posted = register_of(operator, other.session)

    operator.post(f"{SESSIONS}{session.pk}/register/", {**posted, f"mark-{other.pk}": "attended"})

    other.refresh_from_db()
    assert other.attendance == "expected"


@pytest.mark.parametrize("posted", [{"shown-x": "1"}, {"shown-7": ""}, {"mark-7": "attended"}, {}])
def test_nonsense_marks_nobody(operator: Client, posted: dict[str, str]) -> None:
    session = class_in()

    answer = operator.post(f"{SESSIONS}{session.pk}/register/", posted, follow=True)

    assert message_of(answer) == "0 marked."


def test_a_class_to_come_has_a_register_to_look_at(operator: Client) -> None:
    session = class_in(hours=5)
    EnrolmentFactory.create(session=session)

    page = page_of(operator.get(f"{SESSIONS}{session.pk}/register/"))

    assert "Nobody can be marked: they are in a class that has not begun." in page
    assert "Save the register" not in page


def test_the_register_is_a_harmless_file(operator: Client) -> None:
    session = class_in()
    EnrolmentFactory.create(
        session=session, booking__customer__name='=HYPERLINK("http://evil.example")'
    )

    answer = operator.post(f"{SESSIONS}{session.pk}/register.csv")

    header, row = answer.content.decode("utf-8-sig").splitlines()
    assert header == "customer,email,phone,booking,access,attendance,marked_by"
    assert row.startswith("\"'=HYPERLINK(")
    assert row.endswith("active,expected,")


def test_who_took_the_register_as_a_file_stands_in_the_history_of_the_class(
    operator: Client,
) -> None:
    session = EnrolmentFactory.create(session=class_in()).session

    operator.post(f"{SESSIONS}{session.pk}/register.csv", {"reason": "For the trainer."})

    page = page_of(operator.get(f"{SESSIONS}{session.pk}/change/"))
    assert "Register: 1 exported to a CSV file. Reason: For the trainer." in page


def test_for_a_reason_that_is_too_long_no_file_is_taken(operator: Client) -> None:
    session = EnrolmentFactory.create(session=class_in()).session
    url = f"{SESSIONS}{session.pk}/register.csv"

    answer = operator.post(url, {"reason": "x" * 201}, follow=True)

    assert "201 characters and at most 200 are kept" in page_of(answer)
    assert not LogEntry.objects.exists()


def test_a_get_takes_no_file_and_says_how(operator: Client) -> None:
    session = EnrolmentFactory.create(session=class_in()).session

    answer = operator.get(f"{SESSIONS}{session.pk}/register.csv", follow=True)

    assert "No file was taken: press Download as a CSV file." in page_of(answer)
    assert not LogEntry.objects.exists()
