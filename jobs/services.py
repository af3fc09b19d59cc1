"""Run a job: one open run of an exclusive one, its lease kept alive, its end written down."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from egac.logs import redact
from jobs.models import JobRun
from jobs.registry import JOBS

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15.0


class AlreadyRunning(Exception):
    """Another run of an exclusive job is open."""


@dataclass(frozen=True)
class Start:
    """Who starts a job, from where, for which business date."""

    trigger: str
    actor: str
    business_on: date
    dry_run: bool = False


def run_job(name: str, start: Start, work: Callable[[], dict[str, Any]]) -> JobRun:
    """Do the work as a run of the job and return the finished run, its result in it.

    Raises AlreadyRunning for an exclusive job with an open run, whatever machine runs it; and
    whatever the work raises, after it is written down as the run's error.
    """
    run = _open_run(name, start)
    try:
        with _heartbeat(run):
            result = work()
    except BaseException as error:
        # The job runner's exception, raised again: a run that failed must say so.
        _close(run, JobRun.Status.FAILED, error=redact(str(error) or type(error).__name__))
        raise
    _close(run, JobRun.Status.SUCCEEDED, result=result)
    return run


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


def _close(run: JobRun, status: str, *, result: Any = None, error: str = "") -> None:
    ended = JobRun.objects.running().filter(pk=run.pk)
    if not ended.update(status=status, finished_at=Now(), result=result, error=error):
        logger.warning("%s: its lease was over before it ended", run)
    run.refresh_from_db(fields=["status", "finished_at", "error"])
    run.result = result
    logger.info("%s %s", run, run.status)


@contextmanager
def _heartbeat(run: JobRun) -> Iterator[None]:
    """Prolong the run's lease from a thread of its own while the work goes on."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(run: JobRun, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        JobRun.objects.running().filter(pk=run.pk).update(lease_ends_at=Now() + LEASE)
        connection.close()
