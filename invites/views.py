"""The two addresses that the club's cron and monitor call today; domain.md §7 has their shapes."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from egac.auth import is_cron
from egac.providers import NotConfigured
from invites.services import invite_stats, retry_invites
from jobs.models import JobRun
from jobs.services import Start
from jobs.triggers import answer_of_job, refusal

PASS_SECONDS = 12.0  # with a call's time-out it ends within the 25 seconds that callers wait


def for_cron(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in who carries CRON_SECRET: 401 without it, 503 while none is set."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            allowed = is_cron(request)
        except NotConfigured as error:
            return refusal(503, str(error))
        return view(request) if allowed else refusal(401, "Unauthorized")

    return csrf_exempt(never_cache(guarded))


@for_cron
@require_http_methods(["GET", "HEAD"])
def invite_stats_json(request: HttpRequest) -> HttpResponse:
    """Count the invites by state."""
    return JsonResponse({"ok": True, "counts": invite_stats()})


@for_cron
@require_http_methods(["GET", "POST"])
def retry_invites_json(request: HttpRequest) -> HttpResponse:
    """Send the due invites as the job does, for as long as a caller waits."""
    start = Start(
        trigger=JobRun.Trigger.HTTP, actor="CRON_SECRET", business_on=timezone.localdate()
    )
    return answer_of_job("retry_invites", start, lambda: retry_invites(seconds=PASS_SECONDS))
