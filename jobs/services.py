"""Run a job, once at a time where it is exclusive, and write down what came of it. Pause it."""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from egac.logs import KeptLines, keep_lines, redact
from jobs.alerts import watch
from jobs.models import JobPause, JobRun
from jobs.pings import pinged
from jobs.registry import JOBS, WATCH_JOB

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0
BY_A_PERSON = (JobRun.Trigger.ADMIN, JobRun.Trigger.HAND)  # these start a paused job all the same


class AlreadyRunning(Exception):
    """Another run of an exclusive job is open."""


class Paused(Exception):
    """Staff paused the job, and no person starts it."""


@dataclass(frozen=True)
class Start:
    """Who starts a job, from where, for which business date."""

    trigger: str
    actor: str
    business_on: date
    dry_run: bool = False


def run_job(name: str, start: Start, work: Callable[[], dict[str, Any]]) -> JobRun:
    """Do the work as a run of the job and return the finished run, its result in it.

    Raises Paused where staff paused the job and no person starts it; AlreadyRunning for an
    exclusive job with an open run, whatever machine runs it; and whatever the work raises, after
    it is written down as the run's error.
    """
    _refuse_while_paused(name, start)
    run = _open_run(name, start)
    with pinged(name), keep_lines(run.pk) as lines:
        try:
            with _heartbeat(run, lines):
                result = work()
        except BaseException as error:
            # The job runner's exception, raised again: a run that failed must say so.
            lines.add(traceback.format_exc())
            told = redact(str(error) or type(error).__name__)
            _close(run, JobRun.Status.FAILED, lines, error=told)
            if isinstance(error, Exception):  # whoever interrupts us wants an end
                _watch(run)
            raise
        _close(run, JobRun.Status.SUCCEEDED, lines, result=result)
        if name == WATCH_JOB:
            _watch(run)
    return run


def _watch(run: JobRun) -> None:
    """Look at everything as it stands at the end of this run."""
    if run.finished_at:
        watch(run.finished_at)


def _refuse_while_paused(name: str, start: Start) -> None:
    if start.trigger in BY_A_PERSON:
        return
    if pause := JobPause.objects.open().filter(job=name).first():
        raise Paused(f"{name} is paused by {pause.paused_by}; nothing was done.")


def pause_job(name: str, *, by: str) -> bool:
    """Let no clock and no machine start the job; return False where it is paused already."""
    _pause, is_new = JobPause.objects.get_or_create(job=name, defaults={"paused_by": by})
    resumed = JobPause.objects.filter(job=name, resumed_at__isnull=False)
    return is_new or bool(resumed.update(paused_by=by, paused_at=Now(), resumed_at=None))


def resume_job(name: str) -> bool:
    """Let the job be started again; return False where it is not paused."""
    return bool(JobPause.objects.open().filter(job=name).update(resumed_at=Now()))


def _open_run(name: str, start: Start) -> JobRun:
    mark_lost(name)
    try:
        with transaction.atomic():
            run = JobRun.objects.create(
                job=name,
                exclusive=JOBS[name].exclusive,
                trigger=start.trigger,
                actor=start.actor,
                business_on=start.business_on,
                dry_run=start.dry_run,
                lease_ends_at=Now() + LEASE,
            )
    except IntegrityError as error:
        raise AlreadyRunning(_who_runs(name)) from error
    return run


def _who_runs(name: str) -> str:
    run = JobRun.objects.running().filter(job=name).first()
    return f"{name} is running already{f' (run {run.pk})' if run else ''}; nothing was done."


def mark_lost(name: str) -> int:
    """Close the runs of a job whose process is gone; return how many."""
    return (
        JobRun.objects.dead()
        .filter(job=name)
        .update(
            status=JobRun.Status.LOST,
            finished_at=Now(),
            error="Its process was killed or the machine stopped.",
        )
    )


def _close(
    run: JobRun, status: str, lines: KeptLines, *, result: Any = None, error: str = ""
) -> None:
    ended = JobRun.objects.running().filter(pk=run.pk)
    end = {"status": status, "result": result, "error": error, "log": lines.text}
    if not ended.update(finished_at=Now(), **end):
        logger.warning("%s: its lease was over before it ended", run)
    run.refresh_from_db(fields=["status", "finished_at", "error"])
    run.result = result
    logger.info("%s %s", run, run.status)


@contextmanager
def _heartbeat(run: JobRun, lines: KeptLines) -> Iterator[None]:
    """Prolong the run's lease from a thread of its own while the work goes on; keep its lines."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run, lines, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(run: JobRun, lines: KeptLines, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        ours = JobRun.objects.running().filter(pk=run.pk)
        ours.update(lease_ends_at=Now() + LEASE, log=lines.text)
        connection.close()
