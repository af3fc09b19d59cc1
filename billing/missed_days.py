"""Business dates on which a dated job did not run, and what running it for them would do now."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

from django.db.models import Min

from billing.batches import Watch
from billing.services import (
    escalate_overdue_bookings,
    generate_monthly_invoices,
    generate_t5_invoices,
    run_escalation_orchestration,
)
from jobs.models import JobRun, JobRunQuerySet
from jobs.registry import JOBS, Job

DAYS = 31
DRY_RUNS: dict[str, Callable[..., dict[str, Any]]] = {
    "generate_t5_invoices": generate_t5_invoices,
    "run_escalation_orchestration": run_escalation_orchestration,
    "generate_monthly_invoices": generate_monthly_invoices,
    "escalate_overdue_bookings": escalate_overdue_bookings,
}
TOLD_THE_TIME = {"run_escalation_orchestration"}


@dataclass(frozen=True)
class MissedRun:
    """A job and the business date for which it came to no end."""

    job: Job
    on: date

    @property
    def key(self) -> str:
        return f"{self.job.name}@{self.on.isoformat()}"

    @property
    def command(self) -> str:
        """What to type."""
        return f"manage.py {self.job.name} --date {self.on.isoformat()}"


def missed_runs(today: date) -> list[MissedRun]:
    """Return what the DAYS before today lack, the latest first.

    The days before the first run of any of these jobs are before the club used them.
    """
    began_on = came_to_their_end().aggregate(first=Min("business_on"))["first"]
    if began_on is None:
        return []
    first_on = max(began_on, today - timedelta(days=DAYS))
    done = came_to_their_end().filter(business_on__gte=first_on, business_on__lt=today)
    ran = set(done.values_list("job", "business_on"))
    days = (today - timedelta(days=n) for n in range(1, (today - first_on).days + 1))
    return [MissedRun(JOBS[name], on) for on in days for name in DRY_RUNS if (name, on) not in ran]


def came_to_their_end() -> JobRunQuerySet:
    """Return the real runs of dated jobs that left nothing over."""
    ran = JobRun.objects.filter(job__in=DRY_RUNS, dry_run=False)
    return ran.filter(status=JobRun.Status.SUCCEEDED).exclude(result__left__gt=0)


def missed_run(key: str, today: date) -> MissedRun | None:
    """Return the missed run of this key, or None where it is none."""
    return next((missed for missed in missed_runs(today) if missed.key == key), None)


def would_do(missed: MissedRun, *, now: datetime, seconds: float) -> dict[str, Any]:
    """Return the result of the dry run; where `seconds` were too few it says what is `left`."""
    name = missed.job.name
    more = {"now": now} if name in TOLD_THE_TIME else {}
    return DRY_RUNS[name](missed.on, dry_run=True, watch=within(seconds), **more)


def within(seconds: float) -> Watch:
    """Return a watch that stops a run at the first batch that ends after so many seconds."""
    until = time.monotonic() + seconds
    stop = Event()

    def look_at_the_clock(done: int, total: int) -> None:
        if time.monotonic() > until:
            stop.set()

    if seconds <= 0:
        stop.set()
    return Watch(stop=stop, on_progress=look_at_the_clock)
