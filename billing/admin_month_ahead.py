"""The month ahead in the admin: a page of the month, and one for each of its days; no rows."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.dateparse import parse_date

from billing.clock import clock_of_database
from billing.month_ahead import day_ahead, last_of, month_ahead, sum_of
from egac.console.paging import page_asked
from egac.console.records import RecordAdmin
from egac.days import business_date


class MonthAheadAdmin(RecordAdmin):
    """Day after day, who will be invoiced, reminded or locked."""

    def get_urls(self) -> list[URLPattern]:
        view, of = self.admin_site.admin_view, "billing_monthahead"
        return [
            path("", view(self.changelist_view), name=f"{of}_changelist"),
            path("<str:on>/", view(self.day_view), name=f"{of}_day"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        days = month_ahead(self._today(request))
        context = {"title": "Month ahead", "days": days, "whole": sum_of(days)}
        return self._page(request, "month_ahead", context)

    def day_view(self, request: HttpRequest, on: str) -> HttpResponse:
        """Show one day of the month, a page of names after the other."""
        today, day = self._today(request), _day_in(on)
        if day is None or not today <= day <= last_of(today):
            raise Http404("The month ahead has no such day.")
        page = page_asked(request)
        shown = day_ahead(today, day, page=page)
        after = page + 1 if shown.has_names_after(page) else 0
        context = {"title": shown.title, "days": [shown], "before": page - 1, "after": after}
        return self._page(request, "day_ahead", context)

    def _today(self, request: HttpRequest) -> date:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return business_date(clock_of_database())

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, f"admin/billing/{name}.html", whole)


def _day_in(text: str) -> date | None:
    """Return the day of an address, or None where it is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None
