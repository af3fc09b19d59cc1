"""Every run of every job, and what came of it."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import F, Func, JSONField, QuerySet, TextField, Value
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.admin_records import RecordAdmin, badge, moment
from jobs.models import JobRun
from jobs.registry import JOBS

TONES = {
    JobRun.Status.RUNNING: "moving",
    JobRun.Status.SUCCEEDED: "good",
    JobRun.Status.FAILED: "bad",
    JobRun.Status.LOST: "bad",
}
PER_ROW = "results"  # the part of a result that grows with the rows; the list leaves it out


class JobFilter(admin.SimpleListFilter):
    """Which job."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(job.name, job.title) for job in JOBS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        return queryset.filter(job=self.value()) if self.value() else queryset


@admin.register(JobRun)
class JobRunAdmin(RecordAdmin):
    """Runs of jobs, the newest first."""

    list_display = ("title", "state", "trigger", "who", "started", "took", "outcome")
    list_display_links = ("title",)
    list_filter = (JobFilter, "status", "trigger", "dry_run")
    ordering = ("-started_at", "-pk")
    fields = (*list_display, "business_on", "dry_run", "whole_result")
    readonly_fields = fields
    empty_sentence = "Every run of a job shows here: who started it, how long it took, what it did."

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobRun]:
        without = Func(
            F("result"),
            Value(PER_ROW, output_field=TextField()),
            template="(%(expressions)s)",
            arg_joiner=" - ",
            output_field=JSONField(),
        )
        return super().get_queryset(request).defer("result").annotate(brief=without)

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
        return "–" if run.duration is None else f"{run.duration.total_seconds():.1f} s"

    @admin.display(description="result")
    def outcome(self, run: Any) -> str:
        return run.error or result_in_words(run.brief) or "–"

    @admin.display(description="whole result")
    def whole_result(self, run: JobRun) -> SafeString | str:
        if run.result is None:
            return "–"
        text = json.dumps(run.result, indent=2, ensure_ascii=False)
        return format_html('<pre class="ops-text" tabindex="0">{}</pre>', text)


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
