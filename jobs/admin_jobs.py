"""Every job in the admin: when it runs, how it fared, and the buttons that run and pause it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.console.confirming import with_reason
from egac.console.records import RecordAdmin, badge, moment
from egac.explain import day_and_clock
from jobs.admin_forms import PauseForm, RunForm
from jobs.admin_runs import TONES, result_in_words
from jobs.charts import SHOWN, chart_of, in_short
from jobs.command import command_of
from jobs.lateness import JobState, job_states
from jobs.models import Alert, JobPause, JobRun, ScheduledJob
from jobs.registry import JOBS
from jobs.schedule import in_words
from jobs.services import pause_job, resume_job
from jobs.triggers import Refused, run_in_time
from jobs.watchers import cause_of

RUN, PAUSE = "jobs.run_job", "jobs.pause_job"
RUNS_LISTED = 20
STRIP = 20  # runs drawn beside each job of the list
ACTIONS_LISTED = 10
PAUSED = "While it is paused no clock and no machine starts it. A person still may."
AT_ONCE = "It does at once what its schedule would do."
LOOK_FIRST = "Look first at what that is: a dry run sends and changes nothing."
RESUMED = "It runs again at its next time. What was missed is caught up by that run."


class ScheduledJobAdmin(RecordAdmin):
    """The jobs of the registry: a list, a page for each, and three buttons."""

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(view), name=f"jobs_scheduledjob_{name}")

        return [
            page("", self.changelist_view, "changelist"),
            page("<str:name>/", self.job_page, "change"),
            page("<str:name>/run/", self.run_page, "run"),
            page("<str:name>/pause/", partial(self.pause_page, resumes=False), "pause"),
            page("<str:name>/resume/", partial(self.pause_page, resumes=True), "resume"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every job with its schedule, its last and next run, and whether it is late."""
        self._require(request, "jobs.view_scheduledjob")
        context = {
            "title": "Jobs",
            "lines": [_line(state) for state in job_states(_now())],
            "strip": STRIP,
            "runs_url": reverse("admin:jobs_jobrun_changelist"),
            "alerts_url": reverse("admin:jobs_alert_changelist"),
        }
        return self._page(request, "jobs", context)

    def job_page(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show one job: how it stands, its history as a drawing, its last runs."""
        self._require(request, "jobs.view_scheduledjob")
        state = _state_of(name)
        runs = list(_runs_of(name)[:SHOWN])
        standing, sentence = how_it_stands(state)
        upcoming = "" if state.is_paused else f"It runs next on {day_and_clock(state.next_run_at)}."
        context = {
            "title": state.job.title,
            "job": state.job,
            "state": standing,
            "sentence": f"{sentence} {upcoming}".strip(),
            "alerts": Alert.objects.open().filter(cause=cause_of(name)),
            "facts": _facts(state),
            "chart": chart_of(runs),
            "runs": [_run_line(run) for run in runs[:RUNS_LISTED]],
            "runs_url": reverse("admin:jobs_jobrun_changelist") + f"?job={name}",
            "actions": _actions_on(name),
            "buttons": self._buttons(request, state),
        }
        return self._page(request, "job", context)

    def run_page(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask how to run the job, or run it and go to its run."""
        self._require(request, RUN)
        state = _state_of(name)
        command, posted = command_of(name), request.POST if request.method == "POST" else None
        form = RunForm(command, posted, on=request.GET.get("date", ""))
        if request.method == "POST" and form.is_valid():
            return self._run(request, name, form)
        warning = "It is paused; you may run it all the same." if state.is_paused else ""
        context = {
            "title": "Run now",
            "job": state.job,
            "form": form,
            "button": "Run now",
            "can_dry_run": command.can_dry_run,
            "consequence": f"{AT_ONCE} {LOOK_FIRST}" if command.can_dry_run else AT_ONCE,
            "warning": warning,
        }
        return self._page(request, "ask", context)

    def _run(self, request: HttpRequest, name: str, form: RunForm) -> HttpResponse:
        who, asked = request.user.get_username(), form.asked
        what = f"Run now{_in_brackets(asked)}"
        self._log(request, name, with_reason(f"{what}.", form.cleaned_data["reason"]))
        try:
            run = run_in_time(name, asked, trigger=JobRun.Trigger.ADMIN, actor=who)
        except Refused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(_url("change", name))
        messages.success(request, command_of(name).sentence(run.result or {}))
        return HttpResponseRedirect(reverse("admin:jobs_jobrun_change", args=[run.pk]))

    def pause_page(self, request: HttpRequest, name: str, *, resumes: bool) -> HttpResponse:
        """Ask whether to pause or resume the job, or do it."""
        self._require(request, PAUSE)
        state = _state_of(name)
        word = "Resume" if resumes else "Pause"
        form = PauseForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {
                "title": word,
                "job": state.job,
                "form": form,
                "button": word,
                "consequence": RESUMED if resumes else PAUSED,
            }
            return self._page(request, "ask", context)
        did_it = resume_job(name) if resumes else pause_job(name, by=request.user.get_username())
        if did_it:
            told = with_reason(f"{word}: 1 of 1.", form.cleaned_data["reason"])
            self._log(request, name, told)
            messages.success(request, f"{state.job.title}: {word.lower()}d.")
        else:
            already = "is not paused" if resumes else "is paused already"
            messages.warning(request, f"Nothing was changed: {state.job.title} {already}.")
        return HttpResponseRedirect(_url("change", name))

    def _require(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/jobs/{name}.html", {**shared, **context})

    def _buttons(self, request: HttpRequest, state: JobState) -> list[tuple[str, str]]:
        """Return the words and the address of each button that this person may press."""
        pause = ("Resume", "resume") if state.is_paused else ("Pause", "pause")
        wanted = ((RUN, "Run now", "run"), (PAUSE, *pause))
        return [
            (words, _url(page, state.job.name))
            for permission, words, page in wanted
            if request.user.has_perm(permission)
        ]

    def _log(self, request: HttpRequest, name: str, what: str) -> None:
        LogEntry.objects.log_actions(request.user.pk, [ScheduledJob(name)], CHANGE, what)  # type: ignore[arg-type]


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  a page reads the clock


def _url(page: str, name: str) -> str:
    return reverse(f"admin:jobs_scheduledjob_{page}", args=[name])


def _state_of(name: str) -> JobState:
    if name not in JOBS:
        raise Http404(f"There is no job {name}.")
    return next(state for state in job_states(_now()) if state.job.name == name)


def _runs_of(name: str) -> QuerySet[Any]:
    return JobRun.objects.briefly().filter(job=name).order_by("-started_at", "-pk")


def how_it_stands(state: JobState) -> tuple[SafeString, str]:
    """Return the state of a job as a badge, and what a person should know of it, or ""."""
    last = state.last_run
    if state.is_paused:
        return badge("paused", "off"), PAUSED
    if state.is_late:
        return badge("late", "bad"), state.lateness_in_words
    if last is None:
        return badge("not run yet", "waiting"), ""
    if last.status == JobRun.Status.SUCCEEDED:
        return badge("on time", "good"), ""
    word = last.get_status_display().partition(":")[0]
    return badge(word, TONES[JobRun.Status(last.status)]), last.error


def _line(state: JobState) -> dict[str, Any]:
    """Return a job's line of the list."""
    runs = list(_runs_of(state.job.name)[:STRIP])
    standing, sentence = how_it_stands(state)
    return {
        "job": state.job,
        "url": _url("change", state.job.name),
        "schedule": in_words(state.job.schedule),
        "state": standing,
        "sentence": sentence,
        "last": _run_line(runs[0]) if runs else None,
        "next": "when it is resumed" if state.is_paused else moment(state.next_run_at),
        "chart": chart_of(runs),
    }


def _run_line(run: Any) -> dict[str, Any]:
    """Return a run as a line of a list."""
    return {
        "url": reverse("admin:jobs_jobrun_change", args=[run.pk]),
        "state": badge(run.get_status_display(), TONES[JobRun.Status(run.status)]),
        "started": moment(run.started_at),
        "took": f"took {in_short(run.duration)}" if run.finished_at else "not ended",
        "who": f"{run.get_trigger_display()}{f': {run.actor}' if run.actor else ''}",
        "outcome": run.error or result_in_words(run.brief) or "–",
        "dry_run": run.dry_run,
    }


def _facts(state: JobState) -> list[tuple[str, Any]]:
    job = state.job
    at_once = "one run at a time" if job.exclusive else "any number side by side"
    facts = [
        ("Schedule", f"{in_words(job.schedule)} ({job.schedule})"),
        ("Next run", "when it is resumed" if state.is_paused else moment(state.next_run_at)),
        ("Last done", moment(state.last_done_at)),
        ("Late", f"when not done {in_short(job.late_after)} after its time"),
        ("Runs", at_once),
        ("Command", f"manage.py {job.name}"),
        ("Over HTTP", ", ".join(f"/functions/v1/{name}" for name in job.functions) or "–"),
    ]
    if pause := JobPause.objects.open().filter(job=job.name).first():
        facts.insert(
            0, ("Paused", format_html("by {}, {}", pause.paused_by, moment(pause.paused_at)))
        )
    return facts


def _actions_on(name: str) -> QuerySet[LogEntry]:
    """Return what staff last did with this job."""
    of_jobs = ContentType.objects.get_for_model(ScheduledJob, for_concrete_model=False)
    actions = LogEntry.objects.filter(content_type=of_jobs, object_id=name)
    return actions.select_related("user").order_by("-action_time")[:ACTIONS_LISTED]


def _in_brackets(asked: dict[str, Any]) -> str:
    told = ", ".join(
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
        for name, value in asked.items()
    )
    return f" ({told})" if told else ""
