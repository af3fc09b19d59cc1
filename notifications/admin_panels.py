"""The dashboard's panels of the queue: how many messages wait, when they are gone, who sends."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from egac.channels import Channel, all_channels, explain
from egac.console.dashboard import Look, Panel, register_panel
from egac.console.forecast import Due, Passes, calls_for, forecast
from egac.console.quota import quota_of_emails
from egac.console.records import badge
from egac.console.rows import (
    MOST_LOOKED_AT,
    Flow,
    Open,
    as_sentence,
    open_rows,
    opens_at,
    states_of,
    why_paused,
)
from egac.explain import clock
from egac.figures import finished
from egac.providers.resend import LARGEST_BATCH
from egac.switches import why_held
from jobs.registry import JOBS
from jobs.schedule import next_run
from notifications.admin import ALIVE_FOR, TONES
from notifications.models import Notification, NotificationQuerySet, Worker
from notifications.passes import PASS_LIMIT
from notifications.staff import how_silent, kinds_about

TITLES = {"email": "E-mail", "whatsapp": "WhatsApp"}
QUEUE = Notification._meta.db_table
MOST_WORKERS = 10
LATELY = timedelta(days=1)
SCHEDULE = JOBS["run_worker_queue"].schedule


@dataclass(frozen=True)
class Senders:
    """Who sends what is due: nobody, passes of cron, or (both empty) a worker without end."""

    nobody: str
    passes: Passes | None


def queue_panel(look: Look) -> dict[str, Any]:
    """Return how many messages stand where on each channel, and when the due ones are gone."""
    ended = look.once(finished)
    channels = look.once(all_channels)
    senders = senders_now(look)
    return {
        "flows": [
            _flow(channels.get(name) or Channel(name=name), ended, senders, look) for name in TITLES
        ]
    }


def _flow(
    channel: Channel, ended: Counter[tuple[str, str, str]], senders: Senders, look: Look
) -> Flow:
    rows, now = _rows_of(channel.name), look.now
    waiting = open_rows(rows)
    calls = _calls(rows, waiting.due) if channel.name == "email" else waiting.due
    due = Due(
        messages=waiting.due,
        calls=calls,
        rate=channel.rate,
        held=why_held(channel.name) or why_paused(channel) or senders.nobody,
        closed=explain(channel) if opens_at(channel, now) else "",
        opens_at=opens_at(channel, now),
        passes=senders.passes,
        quota=quota_of_emails(look, asked_by=QUEUE) if channel.name == "email" else None,
    )
    return Flow(
        title=TITLES[channel.name],
        states=_states(channel.name, waiting, ended),
        later=waiting.later_in_words,
        oldest=waiting.oldest_in_words(now),
        forecast=forecast(due, now=now),
    )


def _rows_of(channel: str) -> NotificationQuerySet:
    queue = Notification.objects
    return queue.for_whatsapp() if channel == "whatsapp" else queue.for_email()


def _states(channel: str, waiting: Open, ended: Counter[tuple[str, str, str]]) -> Any:
    counts = {word: ended[QUEUE, channel, word] for word in Notification.Status.values}
    counts |= {"pending": waiting.pending, "processing": waiting.processing}
    return states_of(counts, Notification, tones=TONES, query=f"&channel={channel}")


def _calls(rows: NotificationQuerySet, due: int) -> int:
    """Return how many calls the due e-mails take: what is called again goes alone."""
    first = rows.due().in_order()[:MOST_LOOKED_AT]
    alone = Notification.objects.filter(pk__in=first.values("pk")).not_freshly_due().count()
    return calls_for(in_batches=max(0, due - alone), alone=alone, batch=LARGEST_BATCH)


def senders_now(look: Look) -> Senders:
    """Return who sends at this look."""
    about = look.once(kinds_about)
    nobody = "" if about else as_sentence(how_silent(look.now))
    return Senders(nobody, None if Worker.Kind.LOOP in about else passes_from(look.now))


def passes_from(now: datetime) -> Passes:
    """Return the passes of cron that are to come."""
    first_at = next_run(SCHEDULE, now)
    return Passes(first_at, every=next_run(SCHEDULE, first_at) - first_at, messages=PASS_LIMIT)


def workers_panel(look: Look) -> dict[str, Any]:
    """Return who sends: the workers that lived within the last day."""
    lately = Worker.objects.filter(seen_at__gte=look.now - LATELY)
    workers = lately.order_by("-seen_at", "pk")[:MOST_WORKERS]
    return {"workers": [_worker(each, look.now) for each in workers]}


def _worker(worker: Worker, now: datetime) -> dict[str, Any]:
    return {
        "name": worker.name,
        "url": reverse("admin:notifications_worker_change", args=[worker.name]),
        "state": _state_of(worker, now),
        "sentence": (
            f"{worker.get_kind_display().capitalize()} since {clock(worker.started_at, now)}, "
            f"{worker.recorded:,} messages recorded."
        ),
    }


def _state_of(worker: Worker, now: datetime) -> Any:
    if worker.stopped_at:
        return badge(f"ended {clock(worker.stopped_at, now)}", "off")
    if now - worker.seen_at <= ALIVE_FOR:
        return badge("alive", "good")
    return badge(f"silent since {clock(worker.seen_at, now)}", "bad")


PANELS = (
    Panel(
        name="queue",
        title="Queued messages",
        permission="notifications.view_notification",
        template="admin/dashboard/flows.html",
        context=queue_panel,
        place=30,
        list_page="admin:notifications_notification_changelist",
    ),
    Panel(
        name="workers",
        title="Workers",
        permission="notifications.view_worker",
        template="admin/dashboard/workers.html",
        context=workers_panel,
        place=34,
        list_page="admin:notifications_worker_changelist",
    ),
)

for panel in PANELS:
    register_panel(panel)
