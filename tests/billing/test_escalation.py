"""The two jobs about unpaid invoices: their results, once a date, with a bad row, as commands."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing import batches
from billing.models import BillingProblem, Invoice, StepTaken
from billing.services import Watch, escalate_overdue_bookings, run_escalation_orchestration
from bookings.models import Booking, BookingEvent
from jobs.models import JobRun
from jobs.registry import JOBS
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue

pytestmark = pytest.mark.django_db

TODAY = date(2026, 12, 20)
NOTHING_MOVED = {
    "escalated_to_grace": 0,
    "escalated_to_locked": 0,
    "restored_to_active": 0,
    "no_change": 0,
    "total_processed": 0,
}
Access = Booking.Access


def due_in(days: int, **fields: Any) -> Invoice:
    """Return an unpaid invoice that is due in so many days, or was before."""
    return InvoiceFactory.create(due_on=TODAY + timedelta(days=days), **fields)


def orchestrate(on: date = TODAY, **more: Any) -> dict[str, Any]:
    return run_escalation_orchestration(on, now=timezone.now(), **more)


def command(name: str, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit status and what it printed."""
    told = StringIO()
    try:
        call_command(name, *arguments, stdout=told, stderr=told)
    except SystemExit as ended:
        return int(ended.code or 0), told.getvalue()
    return 0, told.getvalue()


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


# Once a business date


def run_by_command(*arguments: str) -> dict[str, Any]:
    _, told = command("run_escalation_orchestration", "--json", "--date", "2026-12-20", *arguments)
    return json.loads(told)


def test_a_second_run_of_a_business_date_does_nothing_and_says_so() -> None:
    run_by_command()
    due_in(3)

    result = run_by_command()

    assert result["already_done"] is True
    assert (result["reminders_sent"], result["escalation"]) == (0, NOTHING_MOVED)
    assert "--force" in result["note"]
    assert not StepTaken.objects.exists()


def test_force_runs_it_again_and_takes_no_step_twice() -> None:
    due_in(3)
    run_by_command()
    due_in(1)

    result = run_by_command("--force")

    assert (result["already_done"], result["reminders_sent"]) == (False, 1)
    assert StepTaken.objects.count() == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"dry_run": True},
        {"status": "failed"},
        {"result": {"left": 7}},
        {"business_on": "2026-12-19"},
        {"job": "escalate_overdue_bookings"},
    ],
)
def test_only_a_real_run_that_came_to_its_end_counts_as_done(fields: dict[str, Any]) -> None:
    ran = {
        "job": "run_escalation_orchestration",
        "exclusive": True,
        "trigger": "cron",
        "business_on": TODAY,
        "status": "succeeded",
        "result": {"left": 0},
        "lease_ends_at": Now(),
    }
    JobRun.objects.create(**{**ran, **fields})

    assert orchestrate()["already_done"] is False


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


# The digest


@pytest.fixture
def office(settings: Settings) -> str:
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    return "office@club.example"


def digest() -> dict[str, str]:
    row = Notification.objects.get(key__startswith="staff_alert/digest/")
    return row.payload["context"]


def test_staff_hear_of_everything_that_waits_for_them(office: str) -> None:
    InviteFactory.create_batch(2, status="failed", reason="permanent")
    queue(email("amelia@families.example"), status="failed", reason="permanent")
    queue(email("bea@families.example"), created_at="2026-01-01T00:00:00Z")
    booking = BookingFactory.create(price=None, customer__name="Zoë Hart")
    BillingProblem.objects.create(
        job="generate_monthly_invoices", booking=booking, why="It has no price."
    )
    due_in(3, booking__customer__name="Nobody", booking__customer__email="")

    orchestrate()

    told = digest()
    assert told["headline"] == (
        "2 invites failed, 1 message failed, 1 message is stuck, 1 booking could not be billed, "
        "1 booking could not be reminded"
    )
    for words in ("Zoë Hart", "It has no price", "bea@families.example", "Nobody"):
        assert words in told["details"], words
    assert told["admin_link"].endswith("/admin/")


def test_staff_hear_of_jobs_that_are_late_but_for_this_one(office: str) -> None:
    later = datetime(2036, 12, 20, 12, 0, tzinfo=UTC)

    run_escalation_orchestration(TODAY, now=later)

    assert digest()["headline"] == f"{len(JOBS) - 1} jobs are late"
    assert "Bill yesterday's classes" in digest()["details"]


def test_no_digest_where_there_is_nothing(office: str) -> None:
    due_in(3)

    orchestrate()

    assert not Notification.objects.filter(type="staff_alert").exists()


def test_one_digest_a_day_however_often_it_runs(office: str) -> None:
    InviteFactory(status="failed", reason="permanent")

    for on in (TODAY, TODAY, TODAY + timedelta(days=1)):
        orchestrate(on, force=True)

    assert list(Notification.objects.order_by("pk").values_list("key", flat=True)) == [
        f"staff_alert/digest/2026-12-20/{office}",
        f"staff_alert/digest/2026-12-21/{office}",
    ]


# Commands


def test_a_run_is_a_job_with_its_date_and_result() -> None:
    due_in(-12)

    status, told = command("escalate_overdue_bookings", "--date", "2026-12-20")

    assert (status, told) == (
        0,
        "0 moved to grace, 1 locked, 0 open again, 0 as they were, 0 could not be moved.\n",
    )
    run = JobRun.objects.get()
    assert (run.job, run.business_on, run.dry_run) == ("escalate_overdue_bookings", TODAY, False)
    assert run.result["escalated_to_locked"] == 1


def test_without_a_date_it_is_today() -> None:
    InvoiceFactory.create(due_on=date(2020, 1, 1))

    _, told = command("escalate_overdue_bookings", "--json")

    assert json.loads(told)["escalated_to_locked"] == 1


@pytest.mark.parametrize("name", ["escalate_overdue_bookings", "run_escalation_orchestration"])
def test_a_row_that_failed_is_exit_status_1_and_a_line_of_its_own(name: str) -> None:
    due_in(-12, booking__customer__name=" ")

    status, told = command(name, "--date", "2026-12-20")

    assert status == 1
    assert "Could not be done:" in told
    assert "lacks name" in told


def test_a_dry_run_prints_who_what_how_much_when_and_why_not(office: str) -> None:
    invoice = due_in(-12, booking__customer__name="Zoë Hart")
    due_in(3, booking__customer__name="Nobody", booking__customer__email="")

    status, told = command("run_escalation_orchestration", "--dry-run", "--date", "2026-12-20")

    assert status == 1
    who = f"Zoë Hart, {invoice.booking.title}"
    address = invoice.customer.email
    assert (
        f"active → overdue_locked: {who}; Invoice {invoice.number} is 12 days late. "
        f"{invoice.number}: £42.00, due 2026-12-08; access_locked by email to {address}, "
        f"staff_alert by email to {office}\n"
    ) in told
    assert (
        f"overdue: {who}; {invoice.number}: £42.00, due 2026-12-08; "
        f"payment_overdue by email to {address}\n"
    ) in told
    assert "Could not be done: Nobody" in told
    assert "Dry run, nothing was written. It would be: 1 reminded; 0 moved to grace, 1 lo" in told
    assert not StepTaken.objects.exists()
