"""The admin site. It stands alone: Django makes it before the first page is registered on it."""

from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone

from egac.console.confirming import LONGEST_REASON
from egac.console.dashboard import dashboard_context, refresh
from egac.console.masking import as_seen_by
from egac.console.navigation import navigation_of

SESSION_ENDED = "You were signed out meanwhile, so nothing was done. Sign in, then press it again."


class OpsSite(AdminSite):
    """Django's admin under the club's name, with the dashboard in front.

    Addresses are masked for who may not see them.
    """

    site_title = "EGAC Ops"
    site_header = "EGAC Ops"
    index_title = "Operations"
    site_url = None
    enable_nav_sidebar = False

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Return a page of the admin, as each person may read it."""
        page = super().admin_view(view, cacheable)

        @wraps(page)
        def masked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if names_what_cannot_be(request):
                raise BadRequest("No row is called so.")
            let_in: Any = request
            let_in.now = timezone.now()  # noqa: TID251  the admin's door, for the whole page
            if request.method == "POST" and not request.user.is_authenticated:
                messages.warning(request, SESSION_ENDED)
            return as_seen_by(request, page(request, *args, **kwargs))

        return masked

    def get_urls(self) -> list[URLPattern | URLResolver]:
        dashboard = path("dashboard/", self.admin_view(refresh), name="egac_dashboard")
        return [dashboard, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows: the main navigation too, and how long a reason may be."""
        return {
            **super().each_context(request),
            "navigation": navigation_of(request),
            "longest_reason": LONGEST_REASON,
        }

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the dashboard, and below it every list that this person may open."""
        return super().index(request, {**dashboard_context(request), **(extra_context or {})})


def names_what_cannot_be(request: HttpRequest) -> bool:
    """Return whether an address or a choice holds a NUL, which PostgreSQL refuses as an error.

    A search passes over it by itself.
    """
    asked = [
        value for name, values in request.GET.lists() if name != SEARCH_VAR for value in values
    ]
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return any("\0" in text for text in (request.path_info, *asked, *chosen))
