"""What is kept for how long: old history is removed in small batches, and open rows never."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from egac.canary import CanaryRetry
from egac.delivery import DeliveryEvent, MessageAudit
from egac.events import outgoing_tables
from egac.figures import HourlyFigure
from jobs.models import Alert, JobRun
from jobs.registry import JOBS

BATCH = 1000
MONTH = timedelta(days=31)

Rows = QuerySet[Any]


def remove(rows: Rows) -> int:
    """Delete rows; return how many."""
    return rows.delete()[0]


@dataclass(frozen=True)
class Kind:
    """One kind of history, kept for as many days as its setting says.

    `old` returns what is older than an instant and may go; `forget` lets it go, and returns how
    many rows that were.
    """

    name: str
    setting: str
    old: Callable[[datetime], Rows]
    forget: Callable[[Rows], int] = remove

    def before(self, now: datetime) -> datetime:
        """Return the instant before which it is old."""
        return now - timedelta(days=getattr(settings, self.setting))


def audit_before(instant: datetime) -> Rows:
    """Lines of the audit; those of an open row stay, for its attempts are counted by them."""
    of_open_rows = Q(pk=None)
    for table, model in outgoing_tables().items():
        open_rows = model._default_manager.filter(status__in=open_states(model))
        keys = open_rows.values_list(Cast("pk", TextField()))
        of_open_rows |= Q(source=table, source_id__in=keys)
    return MessageAudit.objects.filter(at__lt=instant).exclude(of_open_rows)


def figures_before(instant: datetime) -> Rows:
    """Figures of attempts; the dashboard shows a month of them, however short the audit is."""
    return HourlyFigure.objects.filter(hour__lt=instant - MONTH)


def events_before(instant: datetime) -> Rows:
    """Delivery events, but for those that wait until their row's call has ended."""
    return DeliveryEvent.objects.filter(received_at__lt=instant, waits_for_row=False)


def runs_before(instant: datetime) -> Rows:
    """Runs that have ended; the newest success of each job stays, so that lateness is known."""
    newest = JobRun.objects.successes().newest_of_each(JOBS).values()
    ended = JobRun.objects.exclude(status=JobRun.Status.RUNNING)
    return ended.filter(started_at__lt=instant).exclude(pk__in=[run.pk for run in newest])


def alerts_before(instant: datetime) -> Rows:
    """Alerts that have closed."""
    return Alert.objects.filter(closed_at__lt=instant)


def retries_before(instant: datetime) -> Rows:
    """Retries of a cause that have ended; one that waits for its test has no end."""
    return CanaryRetry.objects.filter(ended_at__lt=instant)


KINDS = [
    Kind("audit lines", "KEEP_AUDIT_DAYS", audit_before),
    Kind("hourly figures", "KEEP_AUDIT_DAYS", figures_before),
    Kind("delivery events", "KEEP_EVENTS_DAYS", events_before),
    Kind("runs of jobs", "KEEP_RUNS_DAYS", runs_before),
    Kind("alerts", "KEEP_RUNS_DAYS", alerts_before),
    Kind("retries of causes", "KEEP_RUNS_DAYS", retries_before),
]


def register_history(*kinds: Kind) -> None:
    """Let an app have its own history pruned."""
    KINDS.extend(kinds)


def open_states(model: Any) -> list[str]:
    """Return the states of outgoing rows that are still to be sent."""
    return [model.Status.PENDING, model.Status.PROCESSING]


def bodies_of(model: Any) -> Kind:
    """Return the kept messages of a table's ended rows, each of which can be rendered anew."""
    ended = model._default_manager.exclude(status__in=open_states(model))
    with_body = ended.exclude(rendered=None, preview=None)
    return Kind(
        "bodies",
        "KEEP_BODIES_DAYS",
        old=lambda instant: with_body.filter(updated_at__lt=instant),
        # Not updated_at: people read there when a row was last worked on.
        forget=lambda rows: rows.update(rendered=None, preview=None),
    )


def prune_history(now: datetime, *, dry_run: bool, stop: threading.Event) -> dict[str, Any]:
    """Remove what is older than its days, or only count it; return how many of each kind.

    Ends between two batches when `stop` is set; the next run goes on.
    """
    treat = _count if dry_run else _forget
    counts: Counter[str] = Counter()
    for kind in [*KINDS, *map(bodies_of, outgoing_tables().values())]:
        counts[kind.name] += treat(kind, kind.before(now), stop)
    note = "Dry run: nothing was removed." if dry_run else ""
    return {"ok": True, "counts": dict(counts), "note": note}


def _count(kind: Kind, before: datetime, _stop: threading.Event) -> int:
    return kind.old(before).count()


def _forget(kind: Kind, before: datetime, stop: threading.Event) -> int:
    """Let one kind go, batch by batch in the order of its keys, so that it is read once."""
    forgotten = 0
    rest = kind.old(before).order_by("pk")
    while not stop.is_set():
        keys = list(rest.values_list("pk", flat=True)[:BATCH])
        if not keys:
            break
        # Asked again: one of them may have been opened meanwhile.
        forgotten += kind.forget(kind.old(before).filter(pk__in=keys))
        rest = rest.filter(pk__gt=keys[-1])
    return forgotten
