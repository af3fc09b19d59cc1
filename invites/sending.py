"""The job that sends due invites, as a page speaks of it: when it runs next, or why it does not."""

from datetime import datetime

from egac.explain import clock
from egac.why_waiting import at
from jobs.lateness import missed
from jobs.models import JobPause, JobRun
from jobs.registry import JOBS
from jobs.schedule import next_run as next_run_of

JOB = JOBS["retry_invites"]


def next_run(now: datetime) -> str:
    """Return which run takes what is due, in words."""
    return f"the run {at(next_run_of(JOB.schedule, now), now)}"


def why_no_run(now: datetime) -> str:
    """Return in a clause why no run takes what is due, and what to do; "" while they come."""
    pause = JobPause.objects.open().filter(job=JOB.name).first()
    if pause:
        return (
            f"{pause.paused_by} paused the job {JOB.name} {at(pause.paused_at, now)}: resume it, "
            "or press Retry now"
        )
    last = JobRun.objects.successes().newest_of_each([JOB.name]).get(JOB.name)
    if last is None or last.finished_at is None or not missed(JOB, now, last.finished_at):
        return ""
    return (
        f"no run of {JOB.name} has succeeded since {clock(last.finished_at, now)}: see why on the "
        "page of jobs, or press Retry now"
    )
