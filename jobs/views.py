"""The addresses under /functions/v1/, by which machines start jobs; domain.md §7 has their shapes.

Refusals, in this order: 404, 405; 401, 403, 429 or 503 for the secret; 413, 400 for the body; 409
for a job that runs already. None of them changes anything.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from jobs.asked import Unusable, asked_in
from jobs.callers import caller_of
from jobs.command import command_of
from jobs.registry import FUNCTIONS, Job
from jobs.services import Paused
from jobs.triggers import PAUSED, Refused, run_over_http

LARGEST_BODY = 65_536  # bytes
DEFAULTS = {"run_worker_queue": {"limit": 10}}  # less than the command's own: a caller waits


def for_machines(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let machines in without a session, and answer each refusal as JSON."""

    @wraps(view)
    def answered(request: HttpRequest, **named: str) -> HttpResponse:
        try:
            return view(request, **named)
        except Refused as error:
            told = {"ok": False, "success": False, "error": str(error)}
            return JsonResponse(told, status=error.status, headers=error.headers)

    return csrf_exempt(never_cache(answered))


@for_machines
def run_function(request: HttpRequest, function: str) -> HttpResponse:
    """Run the job behind a function, with what the body asks for."""
    job = FUNCTIONS.get(function.rstrip("/"))
    if job is None:
        raise Refused(404, f"There is no such function. There are {', '.join(FUNCTIONS)}.")
    if request.method != "POST":
        raise Refused(405, "Only a POST starts a job.", {"Allow": "POST"})
    actor = caller_of(request, job, now=timezone.now())
    try:
        asked, unknown = asked_in(_body(request))
    except Unusable as error:
        raise Refused(400, str(error)) from error
    return JsonResponse(_told_by_run(job, asked, unknown, actor))


def _body(request: HttpRequest) -> bytes:
    """Return the body, or refuse one that is too large without reading all of it."""
    if request.headers.get("transfer-encoding"):
        # Django reads as many bytes as are announced: none, which would ask for a plain run.
        raise Refused(400, "The length of the body is unknown. Send Content-Length.")
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Refused(413, f"The body is larger than {LARGEST_BODY} bytes.")
    return body


def _told_by_run(job: Job, asked: dict[str, Any], unknown: list[str], actor: str) -> dict[str, Any]:
    """Run the job and return its answer; names that it does not take are ignored, and told."""
    takes = command_of(job.name).options()
    taken = {name: value for name, value in asked.items() if name in takes}
    ignored = [*unknown, *(name for name in asked if name not in takes)]
    named = {"job": job.name, "dry_run": taken.get("dry_run", False)}
    if ignored:
        named["ignored"] = ignored
    try:
        run = run_over_http(job.name, {**DEFAULTS.get(job.name, {}), **taken}, actor=actor)
    except Paused:
        return {**PAUSED, **named, "run_id": None}
    return {"ok": True, "success": True, **(run.result or {}), **named, "run_id": run.pk}
