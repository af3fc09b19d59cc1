"""Showing one page unmasked, once: a POST with a reason, which stands in the history of its row."""

from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from egac.console.confirming import wrong_reason
from egac.console.masking import REVEAL, sees_addresses

NOTHING_SHOWN = "Nothing was shown: write why you need it on the page of a row, then press once."


def what_is_masked(request: HttpRequest) -> dict[str, Any]:
    """Tell every page whether it may be revealed to who looks, and whether it is just now."""
    match = request.resolver_match
    if match is None or match.app_name != "admin":
        return {}  # to ask who looks would tie a page that needs no login to a session
    user = getattr(request, "user", None)
    if user is None or not user.is_staff:
        return {}
    if getattr(request, "is_revealed", False):
        return {"is_revealed": True}
    may = user.has_perm(REVEAL) and not sees_addresses(request)
    return {"reveal_page": request.path} if may and _is_of_a_row(match) else {}


def _is_of_a_row(match: ResolverMatch) -> bool:
    is_page = (match.url_name or "").endswith("_change") and match.app_name == "admin"
    return is_page and "object_id" in match.kwargs


def reveal(request: HttpRequest) -> HttpResponse:
    """Answer with the page of one row as who sees addresses reads it, and note who looked at it."""
    if not request.user.has_perm(REVEAL):
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip()
    is_asked = request.method == "POST" and bool(reason)
    why_not = wrong_reason(reason, is_needed=True) if is_asked else NOTHING_SHOWN
    if why_not:
        messages.warning(request, why_not)
        return HttpResponseRedirect(reverse("admin:index"))
    match = _row_at(request.POST.get("page", ""))
    row = _row_of(request, match)
    shown: Any = copy(request)
    shown.method, shown.POST, shown.GET = "GET", QueryDict(), QueryDict()
    shown.path = shown.path_info = request.POST["page"]
    shown.resolver_match, shown.is_revealed = match, True
    response: HttpResponse = match.func(shown, *match.args, **match.kwargs)
    if response.status_code == 200:
        what = f"Revealed. Reason: {reason}"
        LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, what)  # type: ignore[arg-type]
    # The door masks what the first request may not see; this answer is told apart by its mark.
    request.is_revealed = True  # type: ignore[attr-defined]
    response["Cache-Control"] = "no-store"
    return response


def _row_at(page: str) -> ResolverMatch:
    try:
        match = resolve(page)
    except Resolver404:
        raise Http404 from None
    if not _is_of_a_row(match):
        raise Http404
    return match


def _row_of(request: HttpRequest, match: ResolverMatch) -> Any:
    """Return the row whose page this is."""
    for model, model_admin in admin.site._registry.items():
        if match.url_name == f"{model._meta.app_label}_{model._meta.model_name}_change":
            row = model_admin.get_object(request, unquote(match.kwargs["object_id"]))
            if row is not None:
                return row
    raise Http404
