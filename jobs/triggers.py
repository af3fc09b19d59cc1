"""Jobs started over HTTP: the run's result, or its error in a sentence."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import JsonResponse

from egac.providers import NotConfigured
from jobs.services import AlreadyRunning, Paused, Start, run_job

logger = logging.getLogger(__name__)


def refusal(status: int, error: str) -> JsonResponse:
    """Return an answer that says in a sentence why nothing was done."""
    return JsonResponse({"ok": False, "error": error}, status=status)


def answer_of_job(name: str, start: Start, work: Callable[[], dict[str, Any]]) -> JsonResponse:
    """Run the job and return its result, or 409, 500 or 503 with a sentence."""
    try:
        return JsonResponse(run_job(name, start, work).result)
    except Paused:
        return JsonResponse({"ok": True, "success": True, "skipped": "paused"})
    except AlreadyRunning as error:
        return refusal(409, str(error))
    except NotConfigured as error:
        return refusal(503, str(error))
    except Exception:
        # The job runner's exception: the run wrote its error down, the caller gets no traceback.
        logger.exception("%s over HTTP failed", name)
        return refusal(500, f"{name} failed. Its error stands in the admin, under runs of jobs.")
