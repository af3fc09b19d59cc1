"""Every run of every job, and what came of it."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.console.pages import RowPageAdmin
from egac.console.paging import page_asked
from egac.console.records import badge, moment
from egac.days import business_date, day_in_words
from egac.explain import day_and_clock
from jobs.charts import in_short
from jobs.fixes import RUN
from jobs.models import JobRun
from jobs.registry import JOBS
from jobs.results import changes_of, notes_of, pages_of, tables_of

TONES = {
    JobRun.Status.RUNNING: "moving",
    JobRun.Status.SUCCEEDED: "good",
    JobRun.Status.FAILED: "bad",
    JobRun.Status.LOST: "bad",
}
MOST_SHOWN = 20_000  # characters of a whole result


class JobFilter(admin.SimpleListFilter):
    """Which job."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(job.name, job.title) for job in JOBS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        return queryset.filter(job=self.value()) if self.value() else queryset


class JobRunAdmin(RowPageAdmin):
    """Runs of jobs, the newest first."""

    page_template = "admin/jobs/run.html"
    list_display = ("title", "state", "trigger", "who", "started", "took", "outcome")
    list_display_links = ("title",)
    list_filter = (JobFilter, "status", "trigger", "dry_run")
    ordering = ("-started_at", "-pk")
    empty_sentence = "Every run of a job shows here: who started it, how long it took, what it did."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return JobRun.objects.briefly()

    @admin.display(description="job", ordering="job")
    def title(self, run: JobRun) -> str:
        job = JOBS.get(run.job)
        return job.title if job else run.job

    @admin.display(description="status", ordering="status")
    def state(self, run: JobRun) -> SafeString:
        return badge(run.get_status_display(), TONES[JobRun.Status(run.status)])

    @admin.display(description="by", ordering="actor")
    def who(self, run: JobRun) -> str:
        return run.actor or "–"

    @admin.display(description="started", ordering="started_at")
    def started(self, run: JobRun) -> SafeString | str:
        return moment(run.started_at)

    @admin.display(description="took")
    def took(self, run: JobRun) -> str:
        return in_short(run.duration)

    @admin.display(description="result")
    def outcome(self, run: Any) -> str:
        return run.error or result_in_words(run.brief) or "–"

    # The record

    def gone_sentence(self) -> str:
        return "There is no such run. It may be too old to be kept."

    def page_context(self, request: HttpRequest, row: JobRun) -> dict[str, Any]:
        """Show what came of a run: its end, what it changed, its rows and its lines."""
        return {
            **super().page_context(request, row),
            "title": f"{self.title(row)}, run {row.pk}",
            "run": row,
            "state": self.state(row),
            "sentence": sentence_of(row),
            "facts": self.facts(row),
            "run_url": run_url(row) if may_run(request, row) else "",
            **parts_of_result(row, page=page_asked(request)),
        }

    def facts(self, run: JobRun) -> list[tuple[str, Any]]:
        """Return what the record says of a run, name by name."""
        job: Any = self.title(run)
        if run.job in JOBS:
            url = reverse("admin:jobs_scheduledjob_change", args=[run.job])
            job = format_html('<a href="{}">{}</a>', url, job)
        return [
            ("Job", job),
            ("Started by", f"{run.get_trigger_display()}: {self.who(run)}"),
            ("Business date", day_in_words(run.business_on)),
            ("Started", day_and_clock(run.started_at)),
            ("Ended", day_and_clock(run.finished_at) if run.finished_at else "–"),
            ("Took", in_short(run.duration)),
            ("Dry run", "yes: it changed nothing" if run.dry_run else "no"),
        ]


def may_run(request: HttpRequest, run: JobRun) -> bool:
    """Return whether this person may now do what a run has shown dry."""
    _, permission = RUN
    is_shown = run.dry_run and run.status == JobRun.Status.SUCCEEDED and run.job in JOBS
    return is_shown and request.user.has_perm(permission)


def run_url(run: JobRun) -> str:
    """Return the page that runs this run's job for the same business date."""
    page, _ = RUN
    is_of_its_day = run.business_on == business_date(run.started_at)
    on = "" if is_of_its_day else f"?date={run.business_on}"
    return reverse(page, args=[run.job]) + on


def sentence_of(run: JobRun) -> str:
    """Return how a run stands, in a sentence with a next step."""
    if run.status == JobRun.Status.RUNNING:
        return "It is running right now. Load this page again in a minute."
    if run.status == JobRun.Status.SUCCEEDED and run.dry_run:
        return "It was a dry run: below stands what it would do, and nothing was changed."
    if run.status == JobRun.Status.SUCCEEDED:
        return "It came to its end, and every outcome was recorded."
    if run.status == JobRun.Status.LOST:
        return "Its process was killed or the machine stopped. The next run takes its work up."
    return "It failed. Mend the cause below, then run it again."


def parts_of_result(run: JobRun, *, page: int) -> dict[str, Any]:
    """Return the parts of a run's result for its page."""
    result = run.result if isinstance(run.result, dict) else None
    text = json.dumps(run.result, indent=2, ensure_ascii=False) if run.result is not None else ""
    pages = pages_of(result)
    page = min(page, pages)
    return {
        "changes": changes_of(result),
        "notes": notes_of(result),
        "tables": tables_of(run.job, result, page=page),
        "page": page,
        "pages": pages,
        "before": page - 1,
        "after": page + 1 if page < pages else 0,
        "whole": text[:MOST_SHOWN],
        "more": max(0, len(text) - MOST_SHOWN),
    }


def result_in_words(result: dict[str, Any] | None) -> str:
    """Return the numbers and the note of a run's result, for example "12 processed, 3 left."."""
    counts = {**(result or {}), **(result or {}).get("counts", {})}
    numbers = [
        f"{value} {name.replace('_', ' ')}"
        for name, value in sorted(counts.items(), key=lambda item: item[0] != "processed")
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    sentence = f"{', '.join(numbers)}." if numbers else ""
    return f"{sentence} {counts.get('note') or ''}".strip()
