"""The month ahead in the admin: one page, no rows."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from billing.clock import clock_of_database
from billing.models import MonthAhead
from billing.month_ahead import month_ahead, sum_of
from egac.admin_records import RecordAdmin
from egac.days import business_date


@admin.register(MonthAhead)
class MonthAheadAdmin(RecordAdmin):
    """Day after day, who will be invoiced, reminded or locked."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="billing_monthahead_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        days = month_ahead(business_date(clock_of_database()))
        context = {
            **self.admin_site.each_context(request),
            "title": "Month ahead",
            "days": days,
            "whole": sum_of(days),
        }
        return TemplateResponse(request, "admin/billing/month_ahead.html", context)
