"""Whether invites have failed, asked of a site over HTTP or of the database here.

Where the monitor runs without a database, in a workflow, it opens and closes the same GitHub
issues as the site itself does: what was said already is read from the issue.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse

from egac.figures import finished
from egac.moment import Moment
from egac.providers import ProviderError, github
from egac.providers.http import Answer, call
from invites.models import Invite
from invites.services import invite_stats
from jobs.fixes import BY_CAUSE, Fix
from jobs.models import JobRun
from jobs.registry import WATCH_JOB
from jobs.watchers import BLIND, Finding

FAILED = "failed_invites"
HERE = "this database"  # whose invites a look counted, where it asked no other site
FIXES = {
    FAILED: (
        BY_CAUSE,
        Fix(
            "Open the failed invites",
            "admin:invites_invite_changelist",
            "invites.view_invite",
            query="?status__exact=failed",
        ),
    )
}
LOOK = "Open the failed invites in the admin; each says why, and what to do."


class Blind(Exception):
    """The counts could not be had; `exit_status` tells the callers of today why."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


NO_SECRET, NOT_2XX, NOT_JSON, UNREACHABLE = 2, 3, 4, 5


def counts_here() -> dict[str, int]:
    """Return the counts of the local database."""
    return invite_stats()


def counts_of_site(site: str, *, secret: str) -> dict[str, int]:
    """Return the counts that a site answers; raise Blind where it gives none."""
    if not secret:
        raise Blind("CRON_SECRET is not set, so the site would not answer. Set it.", NO_SECRET)
    url = f"{site.rstrip('/')}/api/admin/invite-stats.json"
    try:
        answer = call("GET", url, headers={"authorization": f"Bearer {secret}"})
    except ProviderError as error:
        raise Blind(f"{site} is unreachable: {error}", UNREACHABLE) from error
    return _counts_in(answer, site)


def _counts_in(answer: Answer, site: str) -> dict[str, int]:
    if not 200 <= answer.status < 300:
        raise Blind(f"{site} answered {answer.status}: {answer.start}", NOT_2XX)
    body: Any = answer.json()
    counts = body.get("counts") if isinstance(body, dict) else None
    if not isinstance(counts, dict) or not isinstance(counts.get("failed"), int):
        raise Blind(f"{site} answered no invite counts: {answer.start}", NOT_JSON)
    return counts


def watch_invites(moment: Moment) -> Iterator[Finding]:
    """Find failed invites: of this database now, of another site as the monitor last counted."""
    runs = JobRun.objects.filter(job=WATCH_JOB, status=JobRun.Status.SUCCEEDED)
    counted = runs.order_by("-started_at").values_list("result__site", "result__counts__failed")
    site, failed = counted.first() or (HERE, 0)
    if site in (HERE, None):
        failed = moment.once(finished)[Invite._meta.db_table, "email", Invite.Status.FAILED]
    if failed:
        yield Finding(
            cause=FAILED,
            sentence=failed_sentence(failed),
            next_step=LOOK,
            page=reverse("admin:invites_invite_changelist") + "?status__exact=failed",
        )


def failed_sentence(count: int) -> str:
    """Return what is wrong in the words of both writers of the issue."""
    return "1 invite has failed." if count == 1 else f"{count:,} invites have failed."


def tell_of_counts(counts: dict[str, int], *, site: str, now: datetime) -> None:
    """Bring GitHub's issues to what a site's counts say; raise ProviderError."""
    github.resolve_trouble(BLIND, sentence=f"It is over: {site} answers again.", now=now)
    if not counts["failed"]:
        sentence = f"It is over: none has failed at {site}."
        github.resolve_trouble(FAILED, sentence=sentence, now=now)
        return
    details = f"What to do: {LOOK}\nSite: {site}"
    trouble = github.Trouble(FAILED, failed_sentence(counts["failed"]), details)
    github.report_trouble(trouble, now=now)


def tell_of_blindness(why: Blind, *, site: str, now: datetime) -> None:
    """Open GitHub's issue of a monitor that sees nothing; raise ProviderError.

    The issue of failed invites stays as it is: nobody knows whether it is over.
    """
    details = (
        "What to do: see whether the site is up. Until the monitor sees again, look at the failed "
        f"invites yourself.\nSite: {site}"
    )
    trouble = github.Trouble(BLIND, f"The monitor is blind: {why}", details)
    github.report_trouble(trouble, now=now)
