"""Jobs started by a request: the same command, for as long as a caller waits."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.http import JsonResponse

from egac.logs import redact
from egac.providers import NotConfigured
from egac.providers.http import CONNECT_SECONDS, calls_ended_within
from jobs.command import JobCommand, command_of
from jobs.models import JobRun
from jobs.services import AlreadyRunning, Paused

logger = logging.getLogger(__name__)

CALLER_SECONDS = 25.0  # so long a caller waits at most
PAUSED = {"ok": True, "success": True, "skipped": "paused"}


class Refused(Exception):
    """A call that started nothing, or whose run failed: the status to answer, and a sentence."""

    def __init__(self, status: int, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.headers = headers or {}


def refusal(status: int, error: str) -> JsonResponse:
    """Return an answer of the older addresses that says in a sentence why nothing was done."""
    return JsonResponse({"ok": False, "error": error}, status=status)


def answer_of_job(name: str, *, actor: str) -> JsonResponse:
    """Run the job and return its bare result or a refusal, for a caller of an older address."""
    try:
        return JsonResponse(run_over_http(name, {}, actor=actor).result)
    except Paused:
        return JsonResponse(PAUSED)
    except Refused as error:
        return refusal(error.status, str(error))


def run_over_http(name: str, asked: Mapping[str, Any], *, actor: str) -> JobRun:
    """Run the job for a machine; raises as run_in_time does."""
    return run_in_time(name, asked, trigger=JobRun.Trigger.HTTP, actor=actor)


def run_in_time(name: str, asked: Mapping[str, Any], *, trigger: str, actor: str) -> JobRun:
    """Run the job's command with the options asked for and return the finished run.

    Work that can be cut short is, so that the answer comes within CALLER_SECONDS. Raises Paused,
    and Refused: 409 while the job runs already, 503 where a setting is missing, 500 where it
    failed.
    """
    command = command_of(name)
    options = command.options(**asked)
    try:
        with _ended_in_time(command):
            return command.run(options, trigger=trigger, actor=actor)
    except Paused:
        raise
    except AlreadyRunning as error:
        raise Refused(409, str(error)) from error
    except NotConfigured as error:
        raise Refused(503, str(error)) from error
    except Exception as error:
        # The job runner's exception: the run wrote its error down, the caller gets no traceback.
        logger.exception("%s failed while its caller waited", name)
        raise Refused(500, _told_of(name, error)) from error


def _told_of(name: str, error: Exception) -> str:
    """Return the error of a failed run in a sentence."""
    # Only its first line: below it a database quotes the row, and a caller's log may be public.
    first, *_ = redact(str(error)).splitlines() or [type(error).__name__]
    return f"{name} failed ({first[:200]}). The admin tells more, under runs of jobs."


@contextmanager
def _ended_in_time(command: JobCommand) -> Iterator[None]:
    """Ask the work to stop while there is still time to end the call that it has begun.

    Where one step takes several calls, as Zoom's token and meeting, the last ones are cut short.
    """
    one_call = CONNECT_SECONDS + settings.PROVIDER_TIMEOUT_SECONDS
    timer = threading.Timer(max(1.0, CALLER_SECONDS - one_call), command.stop.set)
    timer.daemon = True
    timer.start()
    try:
        with calls_ended_within(CALLER_SECONDS - CONNECT_SECONDS):
            yield
    finally:
        timer.cancel()
