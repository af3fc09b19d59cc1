"""The cause of failed rows in the lists of both tables: a filter, and the way to all causes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from egac.causes import NAME


class CauseFilter(admin.SimpleListFilter):
    """Failed rows of one cause, as the page of failures links to them; otherwise not to be seen."""

    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "", "this cause")] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value() or ""
        return queryset.with_cause(name) if NAME.fullmatch(name) else queryset  # type: ignore[attr-defined]
