"""The admin site. It stands alone: Django makes it before the first page is registered on it."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase

from egac.admin_masking import as_seen_by


class OpsSite(AdminSite):
    """Django's admin under the club's name; addresses are masked for who may not see them."""

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
            return as_seen_by(request, page(request, *args, **kwargs))

        return masked
