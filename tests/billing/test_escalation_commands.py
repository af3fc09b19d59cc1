"""The two jobs about unpaid invoices as commands: once a business date, exit status, words."""

import json
from datetime import date
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from billing.models import StepTaken
from jobs.models import JobRun
from tests.billing.escalating import TODAY, command, due_in, orchestrate
from tests.billing.factories import InvoiceFactory

pytestmark = pytest.mark.django_db

NOTHING_MOVED = {
    "escalated_to_grace": 0,
    "escalated_to_locked": 0,
    "restored_to_active": 0,
    "no_change": 0,
    "total_processed": 0,
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


@pytest.fixture
def office(settings: Settings) -> str:
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    return "office@club.example"


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
