"""The two jobs about unpaid invoices: their results, with a bad row, again and side by side."""

import random
from datetime import datetime, timedelta
from threading import Event

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing import batches
from billing.models import BillingProblem, Invoice, StepTaken
from billing.services import Watch, escalate_overdue_bookings, run_escalation_orchestration
from bookings.models import Booking, BookingEvent
from notifications.models import Notification
from tests.billing.escalating import TODAY, due_in, orchestrate
from tests.bookings.factories import BookingFactory
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db

NOTHING_MOVED = {
    "escalated_to_grace": 0,
    "escalated_to_locked": 0,
    "restored_to_active": 0,
    "no_change": 0,
    "total_processed": 0,
}
Access = Booking.Access


def a_club() -> None:
    """Invoices at every step, and bookings that move each way."""
    for days in (3, 1, -1, -7, -9, -12):
        due_in(days)
    BookingFactory.create(access_status=Access.LOCKED)


# Results


def test_the_mover_counts_every_booking_that_it_looked_at() -> None:
    a_club()

    result = escalate_overdue_bookings(TODAY)

    counts = {name: result[name] for name in NOTHING_MOVED}
    assert counts == {
        "escalated_to_grace": 1,
        "escalated_to_locked": 1,
        "restored_to_active": 1,
        "no_change": 2,
        "total_processed": 5,
    }
    assert result["success"] is True


def test_the_orchestration_answers_in_the_shape_that_callers_read() -> None:
    a_club()

    result = orchestrate()

    assert result["success"] is True
    assert result["already_done"] is False
    assert result["reminders_sent"] == 6
    assert result["escalation"]["escalated_to_locked"] == 1
    assert result["escalation"]["total_processed"] == 5
    assert datetime.fromisoformat(result["timestamp"]).tzinfo is not None
    assert (result["error_count"], result["errors"], result["left"]) == (0, [], 0)


def test_the_second_job_of_the_day_moves_nothing_more() -> None:
    a_club()
    orchestrate()
    lines = BookingEvent.objects.count()

    result = escalate_overdue_bookings(TODAY)

    assert (result["no_change"], result["total_processed"]) == (4, 4)
    assert BookingEvent.objects.count() == lines


def test_nothing_to_do_is_a_result_too() -> None:
    at = timezone.now()

    result = run_escalation_orchestration(TODAY, now=at)

    assert result == {
        "ok": True,
        "success": True,
        "dry_run": False,
        "execution_date": "2026-12-20",
        "timestamp": at.isoformat(),
        "already_done": False,
        "reminders_sent": 0,
        "escalation": NOTHING_MOVED,
        "error_count": 0,
        "errors": [],
        "results": [],
        "left": 0,
        "note": "",
    }


# A bad row, a stopped run


def test_a_bad_row_is_named_and_all_others_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 3)
    for _ in range(4):
        due_in(-12)
    bad = due_in(-12, booking__customer__name=" ").booking

    result = orchestrate()

    assert result["escalation"]["escalated_to_locked"] == 4
    assert result["reminders_sent"] == 4
    assert [row["booking_id"] for row in result["errors"]] == [bad.pk, bad.pk]
    assert "lacks name" in result["errors"][0]["error"]
    assert result["error_count"] == 1
    problem = BillingProblem.objects.get()
    assert (problem.booking, problem.job) == (bad, "run_escalation_orchestration")


def test_a_problem_is_solved_by_the_run_that_finds_none() -> None:
    invoice = due_in(3, booking__customer__email="")
    orchestrate()
    customer = invoice.customer
    customer.email = "zoe@families.example"
    customer.save(update_fields=["email"])

    orchestrate(force=True)

    assert BillingProblem.objects.get().solved_at is not None


def test_a_run_that_was_stopped_says_what_is_left_and_tells_staff_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    monkeypatch.setattr(batches, "BATCH", 2)
    InviteFactory(status="failed", reason="permanent")
    for _ in range(5):
        due_in(3)
    stop = Event()

    result = orchestrate(watch=Watch(stop=stop, on_progress=lambda done, total: stop.set()))

    assert (result["reminders_sent"], result["left"]) == (2, 3)
    assert result["note"] == "It was stopped: 3 rows go with the next run."
    assert not Notification.objects.filter(type="staff_alert").exists()


@pytest.mark.django_db(transaction=True)
def test_14_runs_side_by_side_do_what_one_run_does(settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    a_club()

    side_by_side(
        6,
        lambda number: orchestrate(force=True) if number % 2 else escalate_overdue_bookings(TODAY),
    )

    assert StepTaken.objects.count() == 6
    assert BookingEvent.objects.count() == 3
    keys = Notification.objects.exclude(type="staff_alert").count()
    assert keys == 6 + 3


# A month of them, and the same month again


@pytest.mark.django_db(transaction=True)
def test_14_the_same_month_again_in_any_order_and_side_by_side_adds_no_row() -> None:
    for days in range(-20, 40, 4):
        due_in(days, booking__customer__agreed=days % 8 == 0)
    nights = [TODAY + timedelta(days=n) for n in range(31)]
    for on in nights:
        orchestrate(on)
        escalate_overdue_bookings(on)
        Invoice.objects.pending().filter(due_on=on - timedelta(days=13)).update(
            status="paid", paid=F("total"), paid_on=on
        )
    before = everything_stored()
    random.Random(4).shuffle(nights)

    for start in range(0, len(nights), 4):
        chosen = nights[start : start + 4]
        side_by_side(len(chosen), lambda n, chosen=chosen: orchestrate(chosen[n], force=True))
        side_by_side(len(chosen), lambda n, chosen=chosen: escalate_overdue_bookings(chosen[n]))

    assert everything_stored() == before
    assert BookingEvent.objects.count() > 20


def test_a_run_for_a_day_gone_by_takes_no_later_move_back() -> None:
    booking = due_in(-12).booking
    escalate_overdue_bookings(TODAY)

    result = escalate_overdue_bookings(TODAY - timedelta(days=3))

    assert (result["escalated_to_grace"], result["no_change"]) == (0, 1)
    booking.refresh_from_db()
    assert booking.access_status == Access.LOCKED
