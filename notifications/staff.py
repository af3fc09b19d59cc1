"""The staff's verbs on the queue: retry now, cancel, reschedule. None of them sends by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Now

from egac.explain import clock
from egac.staff import Changed, Seen, change
from egac.why_waiting import at
from notifications.models import EmailBatch, Notification, NotificationQuerySet, Worker

Status = Notification.Status

RETRIED = frozenset({Status.PENDING, Status.FAILED, Status.CANCELLED})
TAKEN_BACK = frozenset({Status.PENDING, Status.FAILED})
RESCHEDULED = frozenset({Status.PENDING})
WHY_SKIPPED = {
    Status.PENDING: "waiting to be sent",
    Status.PROCESSING: "being sent right now",
    Status.COMPLETED: "sent already",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled already",
}
FROZEN = "in a batch that is being sent"
IN_DOUBT = "perhaps sent already"
USELESS_BY_THEN = "of no use by then"

LONGEST_SILENCE, AN_HOUR, A_MINUTE = timedelta(minutes=5), timedelta(hours=1), timedelta(minutes=1)
ASK_FOR_ONE = "ask whoever runs the server to start one (manage.py run_worker_queue --loop)"
START_ONE = "start manage.py run_worker_queue --loop, or see why cron does not run it"


def with_batches() -> NotificationQuerySet:
    """Return every row with `is_frozen`: whether the call of an open batch carries it."""
    status = EmailBatch.Status
    still_open = EmailBatch.objects.filter(status__in=[status.PENDING, status.PROCESSING])
    frozen = Exists(still_open.filter(pk=OuterRef("batch_id")))
    return Notification.objects.annotate(is_frozen=frozen)


def as_they_stand() -> NotificationQuerySet:
    """Return the rows of `with_batches` with all else that a page says of why they wait."""
    rows = with_batches().annotate(
        batch_due_at=F("batch__due_at"), batch_in_doubt_since=F("batch__in_doubt_since")
    )
    return rows.defer("rendered", "preview")


def retry_now(ids: Sequence[int], *, seen: Seen | None = None) -> Changed:
    """Make failed and cancelled messages new again, and waiting ones due."""
    return change(
        with_batches(),
        ids=ids,
        why_not=lambda row: why_skipped(row, RETRIED),
        act=lambda chosen: chosen.make_due() + chosen.requeue(),
        seen=seen,
    )


def cancel_messages(ids: Sequence[int], *, seen: Seen | None = None) -> Changed:
    """Take back messages that wait or have failed."""
    return change(
        with_batches(),
        ids=ids,
        why_not=lambda row: why_skipped(row, TAKEN_BACK),
        act=NotificationQuerySet.cancel,
        seen=seen,
    )


def reschedule(ids: Sequence[int], *, at: datetime, seen: Seen | None = None) -> Changed:
    """Let messages that wait go at `at`, and not before."""
    return change(
        with_batches(),
        ids=ids,
        why_not=lambda row: why_not_moved(row) or _why_not_then(row, at),
        act=lambda chosen: chosen.update(due_at=at, updated_at=Now()),
        seen=seen,
    )


def why_skipped(row: Notification, eligible: frozenset[Status]) -> str:
    """Return why a verb for rows of these states leaves this row of `with_batches` alone, or ""."""
    status = Status(row.status)
    if getattr(row, "is_frozen", False) and status in (Status.PENDING, Status.PROCESSING):
        return FROZEN
    return "" if status in eligible else WHY_SKIPPED[status]


def why_not_moved(row: Notification) -> str:
    """Return why no other time can be given to this row, or "".

    A call whose outcome is unknown is repeated while its key protects it, so that does not wait.
    """
    return why_skipped(row, RESCHEDULED) or (IN_DOUBT if row.in_doubt_since else "")


def _why_not_then(row: Notification, at: datetime) -> str:
    return USELESS_BY_THEN if row.expires_at and row.expires_at <= at else ""


def kinds_about() -> set[str]:
    """Return which kinds of worker are about: a loop that lives, a pass of the last five minutes.

    It is empty where nobody sends.
    """
    seen = Worker.objects.filter(seen_at__gte=Now() - LONGEST_SILENCE)
    about = seen.filter(Q(kind=Worker.Kind.PASS) | Q(stopped_at=None))
    return set(about.values_list("kind", flat=True).distinct())


def why_nobody_sends(now: datetime) -> str:
    """Return in a clause since when no worker is about, and what to do; "" while one is."""
    return "" if kinds_about() else how_silent(now)


def how_silent(now: datetime) -> str:
    """Return in a clause since when no worker is about, where none is, and what to do."""
    seen_at = Worker.objects.aggregate(last=Max("seen_at"))["last"]
    return f"{_silence(seen_at, now)}: {ASK_FOR_ONE}"


def _silence(seen_at: datetime | None, now: datetime) -> str:
    if seen_at is None:
        return "no worker was ever seen"
    if now - seen_at < LONGEST_SILENCE:
        return f"the last worker was stopped {at(seen_at, now)}"
    if now - seen_at > AN_HOUR:
        return f"no worker was seen since {clock(seen_at, now)}"
    return f"no worker was seen for {(now - seen_at) // A_MINUTE} minutes"


def why_no_worker() -> str:
    """Return in a sentence for the operator that an expected worker is missing, or ""."""
    if not settings.WORKER_EXPECTED or kinds_about():
        return ""
    return f"No worker was seen for 5 minutes (WORKER_EXPECTED): {START_ONE}."
