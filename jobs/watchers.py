"""What is wrong right now: each watcher answers for one part of the system.

An app registers its own, so that the jobs name no app above them. A watcher asks cheap questions,
those that others ask too once a moment, and changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from egac.channels import Channel, all_channels, explain
from egac.logs import redact
from egac.metrics import waiting_for
from egac.moment import Moment
from egac.providers import Cause
from jobs.lateness import job_states
from jobs.models import JobRun
from jobs.registry import JOBS, WATCH_JOB

LONGEST_WORDS = 300
BLIND = "monitor_blind"
# A channel is held for these by its provider's wish; of the others the breaker knows.
USED_UP = (Cause.DAILY_QUOTA, Cause.MONTHLY_QUOTA)


@dataclass(frozen=True)
class Finding:
    """One cause of trouble, as a sentence with a number, what to do, and the page to do it on."""

    cause: str
    sentence: str
    next_step: str
    page: str  # from the root of this site


Watcher = Callable[[Moment], Iterable[Finding]]


def watch_channels(moment: Moment) -> Iterator[Finding]:
    """Find the channels that are down. One that staff paused is as they want it."""
    for channel in moment.once(all_channels).values():
        if not _is_down(channel, moment.now):
            continue
        yield Finding(
            cause=f"channel_down:{channel.name}",
            sentence=f"{_held_up(channel.name)}{shortened(explain(channel))}",
            next_step="Mend what the last answer names, then press Resume on the channel.",
            page=reverse("admin:egac_channel_changelist"),
        )


def _is_down(channel: Channel, now: datetime) -> bool:
    if channel.paused_at or not channel.held_until:
        return False
    is_used_up = channel.held_because in USED_UP and channel.held_until > now
    return channel.probing or is_used_up


def _held_up(channel: str) -> str:
    """Return how many messages a closed channel holds up; "" for one that carries none."""
    count = waiting_for(channel)
    if count is None:
        return ""
    return "1 message waits. " if count == 1 else f"{count:,} messages wait. "


def watch_jobs(moment: Moment) -> Iterator[Finding]:
    """Find the jobs whose last run failed, or that are late; of a paused one nothing is expected.

    A job that failed and so became late is one cause, told once.
    """
    still_running = Q(status=JobRun.Status.RUNNING, lease_ends_at__gte=moment.now)
    ended = JobRun.objects.filter(dry_run=False).exclude(still_running)
    newest = ended.newest_of_each(JOBS)
    failed = [name for name, run in newest.items() if run.status != JobRun.Status.SUCCEEDED]
    in_a_row = ended.failures_in_a_row(failed)
    for state in moment.once(job_states, moment.now):
        name = state.job.name
        if state.is_paused:
            continue
        if name in failed:
            yield _failed(newest[name], in_a_row[name])
        elif state.is_late:
            yield Finding(
                cause=cause_of(name),
                sentence=state.lateness_in_words,
                next_step="See whether cron, or what else starts it, still runs; then run it now.",
                page=reverse("admin:jobs_jobrun_changelist") + f"?job={name}",
            )


def _failed(run: JobRun, count: int) -> Finding:
    """Return that the newest run of a job failed, as the last of `count` in a row."""
    page = reverse("admin:jobs_jobrun_change", args=[run.pk])
    why = shortened(run.error or "its process was killed or the machine stopped")
    if run.job == WATCH_JOB:
        return Finding(
            cause=cause_of(run.job),
            sentence=f"The monitor is blind: it failed {_in_a_row(count)}. {why}",
            next_step="Until it sees again, look at the failed invites yourself.",
            page=page,
        )
    return Finding(
        cause=cause_of(run.job),
        sentence=f"{JOBS[run.job].title} ({run.job}) failed {_in_a_row(count)}: {why}",
        next_step="Mend the cause that its run names, then run it again.",
        page=page,
    )


def _in_a_row(count: int) -> str:
    return "1 time" if count == 1 else f"{count:,} times in a row"


def cause_of(job: str) -> str:
    """Return the cause that a job in trouble is. Without the watching one nobody sees anything."""
    return BLIND if job == WATCH_JOB else f"job:{job}"


def shortened(words: str) -> str:
    """Return words on one line, cut where they are too long for a sentence."""
    plain = " ".join(words.split())
    return plain if len(plain) <= LONGEST_WORDS else f"{plain[:LONGEST_WORDS]}…"


WATCHERS: dict[str, Watcher] = {"channels": watch_channels, "jobs": watch_jobs}


def register_watcher(name: str, watcher: Watcher) -> None:
    """Let an app watch over its own part."""
    WATCHERS[name] = watcher


def findings(moment: Moment) -> dict[str, Finding]:
    """Return what is wrong at a moment by its cause, without a secret; it changes no table."""
    found: dict[str, Finding] = {}
    for watcher in tuple(WATCHERS.values()):
        for finding in watcher(moment):
            safe = replace(finding, sentence=redact(finding.sentence))
            found.setdefault(finding.cause, safe)  # the first watcher says it best
    return found
