"""How every job stands: its last run, its next, and whether it is late.

Lateness is derived from what was done, so it ends by itself with the next success.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from egac.days import instant_in_words
from jobs.models import JobPause, JobRun
from jobs.registry import JOBS, Job
from jobs.schedule import next_run, previous_run

CLOCKS_DIFFER = timedelta(minutes=1)  # at most, the clock of cron from the database's

LastSeen = Callable[[], datetime | None]

STEADY_WORKERS: dict[str, LastSeen] = {}


def register_steady_worker(job: str, last_seen: LastSeen) -> None:
    """Let an app say when a process that does a job without end, and leaves no runs, last lived."""
    STEADY_WORKERS[job] = last_seen


@dataclass(frozen=True)
class JobState:
    """One job at one instant.

    `last_done_at` is when it last succeeded for its own day or a later one, or when its steady
    worker last lived. `late_since` is the scheduled time that it missed, or None.
    """

    job: Job
    last_run: JobRun | None
    last_done_at: datetime | None
    next_run_at: datetime
    is_paused: bool
    late_since: datetime | None

    @property
    def is_late(self) -> bool:
        return self.late_since is not None

    @property
    def lateness_in_words(self) -> str:
        """Return what was missed, as a sentence; "" where the job is not late."""
        if not self.late_since:
            return ""
        due = f"{self.job.title} is late: {self.job.name} was due"
        last = self.last_done_at
        known = f"it last succeeded on {instant_in_words(last)}" if last else "it never succeeded"
        return f"{due} on {instant_in_words(self.late_since)}; {known}."


def late_jobs(now: datetime) -> list[JobState]:
    """Return the jobs that have not succeeded within `late_after` of their scheduled time."""
    return [state for state in job_states(now) if state.is_late]


def job_states(now: datetime) -> list[JobState]:
    """Return how each job stands, in the order of the registry."""
    runs, done = JobRun.objects.newest_of_each(JOBS), _last_done()
    pauses, installed_at = JobPause.objects.in_bulk(), _installed_at()
    states = []
    for name, job in JOBS.items():
        # A job that was never done may be as new as the installation.
        awaited_from = _awaited_from(done.get(name, installed_at), pauses.get(name))
        states.append(
            JobState(
                job,
                last_run=runs.get(name),
                last_done_at=done.get(name),
                next_run_at=next_run(job.schedule, now),
                is_paused=awaited_from is None,
                late_since=missed(job, now, awaited_from) if awaited_from else None,
            )
        )
    return states


def missed(job: Job, now: datetime, awaited_from: datetime) -> datetime | None:
    """Return the scheduled time after `awaited_from` whose run is overdue at `now`, or None."""
    time = previous_run(job.schedule, now - job.late_after)
    return time if awaited_from < time - CLOCKS_DIFFER else None


def _awaited_from(done_at: datetime, pause: JobPause | None) -> datetime | None:
    """Return from when on a job is awaited, or None while it is paused.

    What its pause let pass is not missed: the next run catches it up.
    """
    if pause is None:
        return done_at
    return pause.resumed_at and max(done_at, pause.resumed_at)


def _last_done() -> dict[str, datetime]:
    """Return when each job that ever was done last was."""
    successes = JobRun.objects.successes().newest_of_each(JOBS)
    done = {job: run.finished_at for job, run in successes.items() if run.finished_at}
    for job, last_seen in STEADY_WORKERS.items():
        if seen_at := last_seen():
            done[job] = max(seen_at, done.get(job, seen_at))
    return done


def _installed_at() -> datetime:
    """Return when `migrate` last changed the database: a job may be as new as that."""
    return MigrationRecorder.Migration.objects.aggregate(last=Max("applied"))["last"]
