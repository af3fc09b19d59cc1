"""Missed days: business dates without their job, what running it would do now, and how."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from billing import admin_missed_days
from billing.missed_days import DAYS, DRY_RUNS, missed_runs
from jobs.models import JobRun
from jobs.registry import JOBS
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import make_bookings
from tests.bookings.staff_pages import page_of
from tests.staff import login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db

PAGE = "/admin/billing/missedday/"
T5, MONTHLY = "generate_t5_invoices", "generate_monthly_invoices"


def today() -> date:
    return timezone.localdate()


def ago(days: int) -> date:
    return today() - timedelta(days=days)


def ran(job: str, on: date, **fields: Any) -> None:
    """Write down a run of a job that came to its end."""
    told = {
        "exclusive": True,
        "trigger": "cron",
        "status": "succeeded",
        "result": {"left": 0},
        "lease_ends_at": Now(),
    }
    JobRun.objects.create(job=job, business_on=on, **{**told, **fields})


def all_ran(on: date, *, but: str = "") -> None:
    for job in DRY_RUNS:
        if job != but:
            ran(job, on)


def missed() -> list[tuple[str, date]]:
    return [(each.job.name, each.on) for each in missed_runs(today())]


def test_every_dated_job_of_the_registry_is_watched() -> None:
    assert set(DRY_RUNS) == {job.name for job in JOBS.values() if job.is_dated}


def test_a_day_on_which_a_job_did_not_run_is_missed() -> None:
    for days in (3, 2, 1):
        all_ran(ago(days), but=T5 if days == 2 else "")

    assert missed() == [(T5, ago(2))]


def test_today_is_not_missed_yet() -> None:
    all_ran(ago(1))

    assert missed() == []


def test_before_the_first_run_nothing_was_missed() -> None:
    assert missed() == []
    all_ran(ago(2))

    assert {on for _, on in missed()} == {ago(1)}


def test_it_looks_back_a_month() -> None:
    all_ran(ago(400))

    assert len(missed()) == DAYS * len(DRY_RUNS)


@pytest.mark.parametrize(
    "fields", [{"dry_run": True}, {"status": "failed"}, {"status": "lost"}, {"result": {"left": 3}}]
)
def test_a_run_that_came_to_no_end_does_not_count(fields: dict[str, Any]) -> None:
    all_ran(ago(2))
    all_ran(ago(1), but=T5)
    ran(T5, ago(1), **fields)

    assert missed() == [(T5, ago(1))]


def test_a_run_for_a_day_gone_by_makes_up_for_it() -> None:
    all_ran(ago(2))
    all_ran(ago(1), but=T5)
    ran(T5, ago(1), trigger="hand")

    assert missed() == []


# The pages


def test_the_page_says_what_running_it_would_do_and_the_command() -> None:
    all_ran(ago(3))
    all_ran(ago(2), but="escalate_overdue_bookings")
    all_ran(ago(1))
    InvoiceFactory.create(due_on=ago(20), booking__customer__name="Zoë Hart")
    before = everything_stored()
    viewer = login("Viewers")

    page = page_of(viewer.get(PAGE))
    key = f"escalate_overdue_bookings@{ago(2).isoformat()}"
    day = page_of(viewer.get(f"{PAGE}{key}/"))

    assert "0 moved to grace, 1 locked, 0 open again, 0 as they were" in page
    assert f"manage.py escalate_overdue_bookings --date {ago(2).isoformat()}" in day
    assert "active → overdue_locked: Zoë Hart" in day
    assert "Run it for this day" not in day
    stored = everything_stored()
    written = {name for name in stored if stored[name] != before[name]}
    assert written <= {"auth_user", "auth_user_groups", "django_session"}


def test_who_may_run_jobs_comes_from_a_missed_day_to_the_form_with_its_date() -> None:
    all_ran(ago(2), but=MONTHLY)
    all_ran(ago(1))
    operator = login("Operators")

    day = operator.get(f"{PAGE}{MONTHLY}@{ago(2).isoformat()}/")
    [address] = re.findall(r'href="([^"]+)">Run it for this day', day.content.decode())
    form = operator.get(address)

    assert f'value="{ago(2).isoformat()}"' in form.content.decode()


def test_what_takes_too_long_for_a_page_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_missed_days, "LIST_SECONDS", 0.0)
    all_ran(ago(2))
    all_ran(ago(1), but=MONTHLY)
    make_bookings(3, billed_through_on=ago(1), billing_anchor_on=ago(31))

    page = page_of(login("Viewers").get(PAGE))

    assert "takes longer than this list may. Open the day" in page


def test_an_empty_page_says_what_would_be_here() -> None:
    assert "No day was missed." in page_of(login("Viewers").get(PAGE))


def test_a_day_that_was_not_missed_has_no_page() -> None:
    assert login("Viewers").get(f"{PAGE}{T5}@2026-01-01/").status_code == 404
