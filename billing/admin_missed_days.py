"""Missed days in the admin: on which dates a job did not run, and what running it would do now."""

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing.clock import clock_of_database
from billing.command import BatchCommand
from billing.missed_days import MissedRun, missed_run, missed_runs, would_do
from egac.console.records import RecordAdmin
from egac.days import business_date
from egac.providers import NotConfigured
from jobs.command import command_of
from jobs.fixes import RUN

RUN_PAGE, MAY_RUN = RUN
LIST_SECONDS = 1.5  # for all dry runs of the list together; none begins after that
PAGE_SECONDS = 20.0
TOO_LONG_FOR_A_LIST = "Telling that takes longer than this list may. Open the day to see it."
TOO_LONG = "Telling that takes longer than this page may. Look at it by a dry run of the job."


@dataclass(frozen=True)
class Shown:
    """A missed run as the pages show it: what it would do, in a sentence and in rows."""

    missed: MissedRun
    sentence: str
    rows: tuple[str, ...] = ()


class MissedDayAdmin(RecordAdmin):
    """Every job of a business date that did not come to its end, the latest first."""

    def get_urls(self) -> list[URLPattern]:
        view, of = self.admin_site.admin_view, "billing_missedday"
        return [
            path("", view(self.changelist_view), name=f"{of}_changelist"),
            path("<str:key>/", view(self.day_view), name=f"{of}_change"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        until = time.monotonic() + LIST_SECONDS
        today = self._today(request)
        shown = [
            shown_of(each, until - time.monotonic(), TOO_LONG_FOR_A_LIST)
            for each in missed_runs(today)
        ]
        return self._page(request, "missed_days", title="Missed days", shown=shown)

    def day_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Show what one missed run would do, row by row."""
        missed = missed_run(key, self._today(request))
        if missed is None:
            raise Http404
        shown = shown_of(missed, PAGE_SECONDS, TOO_LONG)
        url = run_url(missed) if request.user.has_perm(MAY_RUN) else ""
        return self._page(request, "missed_day", title=missed.job.title, shown=shown, run_url=url)

    def _today(self, request: HttpRequest) -> date:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return business_date(clock_of_database())

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, f"admin/billing/{name}.html", whole)


def run_url(missed: MissedRun) -> str:
    """Return the page that asks before it runs the job for that day."""
    return f"{reverse(RUN_PAGE, args=[missed.job.name])}?date={missed.on.isoformat()}"


def shown_of(missed: MissedRun, seconds: float, too_long: str) -> Shown:
    """Return a missed run with what running it would do now; `too_long` where `seconds` are few."""
    command = command_of(missed.job.name)
    assert isinstance(command, BatchCommand)
    if seconds <= 0:
        return Shown(missed, too_long)
    try:
        result = would_do(missed, now=clock_of_database(), seconds=seconds)
    except NotConfigured as error:
        return Shown(missed, str(error))
    if result["left"]:
        return Shown(missed, too_long)
    rows = tuple(command.in_a_line(row) for row in result["results"])
    return Shown(missed, f"{command.counts(result)} {result['note']}".strip(), rows)
