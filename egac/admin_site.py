"""The admin site. It stands alone: Django makes it before the first page is registered on it."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from egac.admin_dashboard import dashboard_context, refresh


class OpsSite(AdminSite):
    """Django's admin under the club's name, with the dashboard in front."""

    site_title = "EGAC Ops"
    site_header = "EGAC Ops"
    index_title = "Operations"
    site_url = None
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        dashboard = path("dashboard/", self.admin_view(refresh), name="egac_dashboard")
        return [dashboard, *super().get_urls()]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the dashboard, and below it every list that this person may open."""
        return super().index(request, {**dashboard_context(request), **(extra_context or {})})
