"""What the admin answers where it has no page for a person: what happened, and what helps.

Other addresses are for machines, which read the status: they get Django's own short answers.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

STAFF_PAGES = "/admin/"


@dataclass(frozen=True)
class Trouble:
    """Why there is no page; `happened` is said where the error brings no sentence of ours."""

    status: int
    title: str
    happened: str
    next_step: str


REFUSED = Trouble(
    403,
    "You may not do this",
    "Your account may not open this page or press this button, so nothing was changed.",
    "Ask a manager of the club for the group that may; the page of roles says what each may do.",
)
MISSING = Trouble(
    404,
    "There is no such page",
    "Nothing is at this address, so nothing was changed.",
    "It may be mistyped, or what it showed is gone: open the list, and look for it there.",
)
IMPOSSIBLE = Trouble(
    400,
    "This cannot be asked for",
    "The address or the form holds what no page takes, so nothing was changed.",
    "Open the page anew from the overview, and choose once more.",
)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say who may do what this person may not."""
    if not is_for_staff(request):
        return defaults.permission_denied(request, exception)
    return _page(request, REFUSED)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that nothing is here, in the words of the page that knows what is missing."""
    if not is_for_staff(request):
        return defaults.page_not_found(request, exception)
    return _page(request, MISSING, _words(exception, Http404))


def impossible(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say why this cannot be asked for."""
    if not is_for_staff(request):
        return defaults.bad_request(request, exception)
    return _page(request, IMPOSSIBLE, _words(exception, BadRequest))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer with a page that needs nothing that may be broken too."""
    if not request.path_info.startswith(STAFF_PAGES):
        return defaults.server_error(request)
    return defaults.server_error(request, template_name="admin/broken.html")


def is_for_staff(request: HttpRequest) -> bool:
    """Return whether a person asks for a page; who came by a strange host has no session yet."""
    return request.path_info.startswith(STAFF_PAGES) and hasattr(request, "user")


def _words(exception: Exception, ours: type[Exception]) -> str:
    """Return the sentence of an error that a page raised; Django's resolver tells none."""
    told = exception.args[0] if isinstance(exception, ours) and exception.args else ""
    return told if isinstance(told, str) else ""


def _page(request: HttpRequest, trouble: Trouble, words: str = "") -> HttpResponse:
    context: dict[str, Any] = {"title": trouble.title}
    if request.user.is_authenticated:
        context |= admin.site.each_context(request)
    told = {"happened": words or trouble.happened, "next_step": trouble.next_step}
    return render(request, "admin/error.html", {**context, **told}, status=trouble.status)
