"""The two addresses that the club's cron and monitor call today; domain.md §7 has their shapes."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from egac.auth import Secret, cron_secret_of
from egac.providers import NotConfigured
from egac.secret_use import note_use
from invites.services import invite_stats
from jobs.triggers import answer_of_job, refusal


def for_cron(view: Callable[[HttpRequest, Secret], HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in who carries CRON_SECRET: 401 without it, 503 while none is set."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            secret = cron_secret_of(request)
        except NotConfigured as error:
            return refusal(503, str(error))
        if secret is None:
            return refusal(401, "Unauthorized")
        note_use(secret.name)
        return view(request, secret)

    return csrf_exempt(never_cache(guarded))


@for_cron
@require_http_methods(["GET", "HEAD"])
def invite_stats_json(request: HttpRequest, secret: Secret) -> HttpResponse:
    """Count the invites by state."""
    return JsonResponse({"ok": True, "counts": invite_stats()})


@for_cron
@require_http_methods(["GET", "POST"])
def retry_invites_json(request: HttpRequest, secret: Secret) -> HttpResponse:
    """Send the due invites as the job does, for as long as a caller waits."""
    return answer_of_job("retry_invites", actor=secret.name)
