"""Every job: one row a job, from which schedules, triggers and pages are made."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Job:
    """A management command that is run by a clock, a machine or a person.

    `schedule` is a cron expression in UTC. An exclusive job has one open run at a time; the rows
    of the others are guarded by claims, so any number may run side by side. A job that has not
    succeeded for `late_after` since its time is late. `functions` are its names under
    `/functions/v1/`. A dated job takes `--date` and works for one business date.
    """

    name: str
    title: str
    schedule: str
    exclusive: bool
    late_after: timedelta
    functions: tuple[str, ...] = ()
    is_dated: bool = False


WATCH_JOB = "check_invite_stats"  # at the end of each of its runs the watchers look around
SOON, HOURS = timedelta(minutes=30), timedelta(hours=2)
JOBS = {
    job.name: job
    for job in (
        Job("retry_invites", "Send due invites", "*/15 * * * *", exclusive=False, late_after=SOON),
        Job(
            "check_invite_stats",
            "Watch failed invites",
            "*/15 * * * *",
            exclusive=True,
            late_after=SOON,
        ),
        Job(
            "run_worker_queue",
            "Send queued messages",
            "*/2 * * * *",
            exclusive=False,
            late_after=timedelta(minutes=10),
            functions=("notification-worker", "process-queue", "run-worker-queue"),
        ),
        Job(
            "schedule_create_zoom",
            "Make Zoom meetings",
            "*/5 * * * *",
            exclusive=True,
            late_after=SOON,
            functions=("schedule-create-zoom",),
        ),
        Job(
            "generate_t5_invoices",
            "Bill yesterday's classes",
            "0 1 * * *",
            exclusive=True,
            late_after=HOURS,
            functions=("generate-t5-invoices",),
            is_dated=True,
        ),
        Job(
            "run_escalation_orchestration",
            "Remind and escalate",
            "0 2 * * *",
            exclusive=True,
            late_after=HOURS,
            functions=("run-escalation-orchestration",),
            is_dated=True,
        ),
        Job(
            "generate_monthly_invoices",
            "Bill monthly bookings",
            "0 2 * * *",
            exclusive=True,
            late_after=HOURS,
            functions=("generate-monthly-invoices",),
            is_dated=True,
        ),
        Job("prune_history", "Remove old history", "30 3 * * *", exclusive=True, late_after=HOURS),
        Job(
            "escalate_overdue_bookings",
            "Move the access of overdue bookings",
            "0 6 * * *",
            exclusive=True,
            late_after=HOURS,
            functions=("escalate-overdue-bookings",),
            is_dated=True,
        ),
    )
}
FUNCTIONS = {function: job for job in JOBS.values() for function in job.functions}


def job_called(name: str) -> Job | None:
    """Return the job of this name, or the one behind this function, or None."""
    return JOBS.get(name) or FUNCTIONS.get(name)
