"""The dashboard's panels of jobs: what needs attention, and the day of every job."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, IntegerField, Value
from django.db.models.functions import Cast, Extract, Floor
from django.urls import reverse

from egac.console.dashboard import Look, Panel, register_panel
from egac.days import business_date
from egac.explain import clock
from egac.why_waiting import at
from jobs.admin_jobs import how_it_stands
from jobs.day_strip import CELL, Ran, Strip, day_of, strip_of
from jobs.fixes import Button, buttons_for
from jobs.lateness import JobState, job_states
from jobs.models import Alert, JobRun
from jobs.registry import JOBS, WATCH_JOB
from jobs.watchers import BLIND, Finding, findings

LOOKS_EVERY = timedelta(minutes=15)
JUST_FOUND = "Just found: nobody was told yet."


@dataclass(frozen=True)
class Concern:
    """Something that needs attention: a sentence with a number, and the buttons that end it."""

    sentence: str
    next_step: str
    since: str
    buttons: list[Button]


def attention_panel(look: Look) -> dict[str, Any]:
    """Return what is wrong now, and that nobody looks where that is so.

    The alerts only say since when: between two looks they tell of what is over, and not of what
    is new.
    """
    looked_at = last_look(look)
    opened = dict(Alert.objects.open().values_list("cause", "opened_at"))
    found = sorted(findings(look).values(), key=lambda each: opened.get(each.cause, look.now))
    trouble = [concern_of(each, opened.get(each.cause), look) for each in found]
    concerns = [*unwatched(looked_at, look), *trouble]
    count = len(concerns)
    news = f"{count} {'thing needs' if count == 1 else 'things need'} attention."
    looked = f"The last look around was {at(looked_at, look.now)}." if looked_at else ""
    return {"concerns": concerns, "news": news if concerns else "All is well.", "looked": looked}


def concern_of(finding: Finding, opened_at: datetime | None, look: Look) -> Concern:
    """Return what is wrong as the dashboard shows it; `opened_at` is of its alert, if any."""
    since = f"Since {clock(opened_at, look.now)}." if opened_at else JUST_FOUND
    buttons = buttons_for(finding.cause, finding.page, look.may)
    return Concern(finding.sentence, finding.next_step, since, buttons)


def last_look(look: Look) -> datetime | None:
    """Return when the watchers last looked around on time, or None."""
    states = look.once(job_states, look.now)
    return next(state.last_done_at for state in states if state.job.name == WATCH_JOB)


def unwatched(looked_at: datetime | None, look: Look) -> list[Concern]:
    """Return that nobody looks, where the last look is too long ago; else nothing is new."""
    patience = JOBS[WATCH_JOB].late_after + LOOKS_EVERY
    if looked_at and look.now - looked_at <= patience:
        return []
    last = f"since {clock(looked_at, look.now)}" if looked_at else "yet"
    job_page = reverse("admin:jobs_scheduledjob_change", args=[WATCH_JOB])
    return [
        Concern(
            sentence=f"Nobody has looked for trouble {last}, so there may be more than this.",
            next_step="See whether cron runs, or look now.",
            since=f"It is to happen every {LOOKS_EVERY.seconds // 60} minutes.",
            buttons=buttons_for(BLIND, job_page, look.may),
        )
    ]


@dataclass(frozen=True)
class Line:
    """One job's day."""

    title: str
    url: str
    state: Any
    strip: Strip
    upcoming: str


def day_panel(look: Look) -> dict[str, Any]:
    """Return the day of every job: what ran, how it ended, what is to come."""
    now = look.now
    day = day_of(business_date(now))
    ran = runs_of(day)
    states = look.once(job_states, now)
    return {"lines": [_line(state, day, ran[state.job.name], now) for state in states]}


def runs_of(day: list[datetime]) -> dict[str, Ran]:
    """Return how many runs of each job ended how in each half hour of a day."""
    since = ExpressionWrapper(F("started_at") - Value(day[0]), output_field=DurationField())
    cell = Cast(Floor(Extract(since, "epoch") / CELL.total_seconds()), IntegerField())
    # The jobs are named so that the index on job and time is used.
    runs = JobRun.objects.filter(
        job__in=JOBS, dry_run=False, started_at__gte=day[0], started_at__lt=day[-1] + CELL
    )
    named = runs.order_by().annotate(cell=cell).values_list("job", "cell", "status")
    ran: dict[str, Ran] = defaultdict(Counter)
    for job, number, status, count in named.annotate(count=Count("pk")):
        ran[job][number, status] = count
    return ran


def _line(state: JobState, day: list[datetime], ran: Ran, now: datetime) -> Line:
    schedule = "" if state.is_paused else state.job.schedule
    return Line(
        title=state.job.title,
        url=reverse("admin:jobs_scheduledjob_change", args=[state.job.name]),
        state=how_it_stands(state)[0],
        strip=strip_of(day, ran, schedule, now=now),
        upcoming="" if state.is_paused else f"Next {at(state.next_run_at, now)}.",
    )


PANELS = (
    Panel(
        name="attention",
        title="Needs attention",
        permission="jobs.view_alert",
        template="admin/dashboard/attention.html",
        context=attention_panel,
        place=10,
        list_page="admin:jobs_alert_changelist",
    ),
    Panel(
        name="jobs",
        title="Today’s jobs",
        permission="jobs.view_scheduledjob",
        template="admin/dashboard/jobs.html",
        context=day_panel,
        place=70,
        list_page="admin:jobs_scheduledjob_changelist",
    ),
)

for panel in PANELS:
    register_panel(panel)
