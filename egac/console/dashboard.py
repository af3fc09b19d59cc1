"""The dashboard: panels that each app registers, drawn anew every few seconds.

The page and its refresh are the same panels. A panel whose words did not change has the same
version, so that a browser leaves what it shows alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.timezone import localtime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from egac.console.instant import now_of
from egac.moment import Moment

REFRESH_SECONDS = 5


@dataclass(frozen=True)
class Look(Moment):
    """One look at the dashboard: when it is, and what the person who looks may do.

    Its panels share what they ask: a page that stays open looks every few seconds.
    """

    may: Callable[[str], bool]


Context = Callable[[Look], dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """A part of the dashboard; panels stand in the order of `place`, for who has `permission`."""

    name: str
    title: str
    permission: str
    template: str
    context: Context
    place: int
    list_page: str = ""  # the name of the page that lists what the panel sums up


@dataclass(frozen=True)
class Shown:
    """A panel as one person sees it now."""

    panel: Panel
    html: str
    version: str


PANELS: list[Panel] = []


def register_panel(panel: Panel) -> None:
    """Let an app show a part of its own on the dashboard."""
    PANELS.append(panel)


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    """Return what the dashboard shows to this person now."""
    now = now_of(request)
    return {
        "panels": shown_panels(request, now),
        "fresh_at": f"{localtime(now):%H:%M:%S %Z}",
        "refresh_seconds": REFRESH_SECONDS,
    }


def shown_panels(request: HttpRequest, now: datetime) -> list[Shown]:
    """Return the panels that this person may see, drawn."""
    look = Look(now, request.user.has_perm)
    return [_shown(panel, look) for panel in panels_of(request)]


def panels_of(request: HttpRequest) -> list[Panel]:
    """Return which panels this person may see, in their order."""
    panels = sorted(PANELS, key=lambda panel: panel.place)
    return [panel for panel in panels if request.user.has_perm(panel.permission)]


def _shown(panel: Panel, look: Look) -> Shown:
    html = render_to_string(panel.template, {"panel": panel, **panel.context(look)})
    return Shown(panel, html, blake2b(html.encode(), digest_size=8).hexdigest())


@never_cache
def refresh(request: HttpRequest) -> HttpResponseBase:
    """Answer with the panels as they are now, to be put in the place of what a page shows."""
    if not panels_of(request):
        raise PermissionDenied
    return _panels_now(request)


@require_safe
def _panels_now(request: HttpRequest) -> HttpResponseBase:
    if request.headers.get("HX-Request") != "true":
        return redirect("admin:index")  # somebody opened it, and it is no whole page
    return TemplateResponse(request, "admin/dashboard/refresh.html", dashboard_context(request))
