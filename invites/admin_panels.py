"""The dashboard's panel of invites: how many stand where, and when the due ones are gone."""

from datetime import datetime
from typing import Any

from django.conf import settings

from egac.admin_dashboard import Panel
from egac.admin_rows import Flow, open_rows, opens_at, states_of, why_paused
from egac.channels import Channel, explain
from egac.figures import finished
from egac.forecast import Due, Passes, forecast
from egac.providers import NotConfigured
from egac.providers.resend import require_configured
from invites.admin_enquiries import TONES
from invites.models import Invite
from invites.services import PASS_SECONDS
from jobs.lateness import JobState, job_states
from jobs.schedule import next_run

JOB = "retry_invites"


def invites_panel(now: datetime) -> dict[str, Any]:
    """Return how many invites stand where, and when the due ones are gone."""
    ended = finished(Invite._meta.db_table)
    waiting = open_rows(Invite.objects.all())
    counts = {word: ended["email", word] for word in Invite.Status.values}
    counts |= {"pending": waiting.pending, "processing": waiting.processing}
    channel = Channel.objects.filter(name="email").first() or Channel(name="email")
    job = next(state for state in job_states(now) if state.job.name == JOB)
    due = Due(
        messages=Invite.objects.due().count(),
        calls=Invite.objects.due().count(),
        rate=channel.rate,
        held=why_held() or why_paused(channel) or why_not_run(job),
        closed=explain(channel) if opens_at(channel, now) else "",
        opens_at=opens_at(channel, now),
        passes=_passes(job, channel.rate),
    )
    flow = Flow(
        title="",
        states=states_of(counts, Invite, tones=TONES),
        later=waiting.pending - waiting.due,
        oldest=waiting.oldest_in_words(now),
        forecast=forecast(due, now=now),
    )
    return {"flows": [flow]}


def why_held() -> str:
    """Return why no invite is sent, whatever is due, or ""."""
    if not settings.SENDING:
        return "Sending is switched off (SENDING=off)."
    if settings.RESEND_DRY_RUN:
        return "Dry run (RESEND_DRY_RUN): no e-mail is sent."
    try:
        require_configured()
    except NotConfigured as missing:
        return str(missing)
    return ""


def why_not_run(job: JobState) -> str:
    """Return why the job that sends them does not run, or ""."""
    if job.is_paused:
        return f"The job “{job.job.title}” is paused. Resume it to send them."
    return job.lateness_in_words


def _passes(job: JobState, rate: float) -> Passes:
    first_at = job.next_run_at
    every = next_run(job.job.schedule, first_at) - first_at
    return Passes(first_at, every=every, messages=max(1, int(rate * PASS_SECONDS)))


PANEL = Panel(
    name="invites",
    title="Invites",
    permission="invites.view_invite",
    template="admin/dashboard/flows.html",
    context=invites_panel,
    place=20,
    list_page="admin:invites_invite_changelist",
)
