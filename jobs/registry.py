"""Every job: one row a job, from which schedules, triggers and pages are made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A management command that is run by a clock, a machine or a person.

    `schedule` is a cron expression in UTC. An exclusive job has one open run at a time; the rows
    of the others are guarded by claims, so any number may run side by side.
    """

    name: str
    title: str
    schedule: str
    exclusive: bool


JOBS = {
    job.name: job
    for job in (
        Job("retry_invites", "Send due invites", "*/15 * * * *", exclusive=False),
        Job("run_worker_queue", "Send queued messages", "*/2 * * * *", exclusive=False),
        Job("check_invite_stats", "Watch failed invites", "*/15 * * * *", exclusive=True),
    )
}
