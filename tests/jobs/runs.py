"""Invented runs of jobs."""

from datetime import datetime, timedelta
from typing import Any

from egac.days import business_date
from jobs.models import JobRun
from jobs.registry import JOBS


def ran(at: datetime, job: str = "generate_t5_invoices", **fields: Any) -> JobRun:
    """Return a run of cron that succeeded within five seconds, but for what `fields` say."""
    return JobRun.objects.create(
        **{
            "job": job,
            "exclusive": JOBS[job].exclusive,
            "trigger": JobRun.Trigger.CRON,
            "status": JobRun.Status.SUCCEEDED,
            "business_on": business_date(at),
            "started_at": at,
            "finished_at": at + timedelta(seconds=5),
            "lease_ends_at": at + timedelta(seconds=60),
            **fields,
        }
    )
