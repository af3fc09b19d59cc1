"""Meetings for online classes: one each, whatever dies on the way.

Zoom knows no idempotency key. So a session says that it is being asked for before the call; where
that was never answered, the meeting is looked up by its marker before another is made. Two runs
never ask for one session side by side: an ask is left alone for LEFT_ALONE, and no call begins
later than CALLED_WITHIN after its ask.
"""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bookings.joining import tell_host, tell_joiners
from bookings.models import ClassSession
from egac import channels
from egac.pacer import Pacer
from egac.providers import Cause, ProviderError, zoom

BUDGET_SECONDS = 240.0  # the next run is due after five minutes
LEFT_ALONE = timedelta(seconds=60)
CALLED_WITHIN = 15.0  # seconds
NOT_BEFORE = timedelta(hours=1)  # after a refusal that a person may mend

CHANGED = "The class was cancelled or moved meanwhile, so its new meeting was taken back."
ASKED_ALREADY = (
    "It changed, or another run asks for its meeting right now: the next run looks again."
)
FULL = "Its host has had all the meetings that Zoom allows in a day: it waits until tomorrow (UTC)."
NO_END = "It has no end, so nobody knows how long its meeting is. Add one in the admin."
DRY_RUN = "Dry run: no meeting was made."
T = TypeVar("T")
IN_DOUBT = (Cause.UNKNOWN, Cause.UNAVAILABLE)


class RunIsOver(Exception):
    """No further call may begin: told to stop, out of time, or the channel is closed."""


@dataclass
class Run:
    """What one run has done, and the hosts who get no more meetings today."""

    pacer: Pacer
    until: float  # a time of time.monotonic, bounds when a call may begin
    stop: threading.Event
    results: list[dict[str, Any]] = field(default_factory=list)
    full_hosts: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return self.stop.is_set() or bool(self.pacer.closed) or time.monotonic() >= self.until

    def wait_for_a_slot(self, *, until: float = float("inf")) -> None:
        """Return when a call may begin; raise RunIsOver where none may before `until`."""
        while not self.is_over and time.monotonic() < until:
            if self.pacer.take(1):
                return
            self.stop.wait(self.pacer.seconds_to_next())
        raise RunIsOver

    def call(self, ask: Callable[[], T]) -> T:
        """Make one call and tell the channel how it ended; raise ProviderError."""
        try:
            answer = ask()
        except ProviderError as error:
            self.pacer.note([error])
            raise
        self.pacer.note([None])
        return answer


def without_meeting(now: datetime, *, hours: float) -> QuerySet[ClassSession]:
    """Return the online classes that start within so many hours and have none, soonest first."""
    return ClassSession.objects.filter(
        status=ClassSession.Status.SCHEDULED,
        is_online=True,
        meeting_id=None,
        starts_at__gt=now,
        starts_at__lte=now + timedelta(hours=hours),
    ).order_by("starts_at", "pk")


def schedule_meetings(
    now: datetime,
    *,
    hours: float,
    limit: int | None = None,
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Make the meetings that are missing, tell who joins and who hosts, return what became of each.

    Where a class has its meeting already, people who enrolled since are told too. Raises
    NotConfigured where a meeting is missing and Zoom is not configured.
    """
    missing = without_meeting(now, hours=hours)
    candidates = missing.count()
    due = missing.filter(Q(meeting_due_at=None) | Q(meeting_due_at__lte=Now()))
    chosen = list(due.select_related("instructor")[:limit])
    if dry_run or settings.ZOOM_DRY_RUN:
        return _result(candidates, [_would_make(session) for session in chosen], note=DRY_RUN)
    told_late = tell_who_enrolled_since(now, hours=hours)
    if not candidates:
        return {**_result(0, [], note=""), "told_late": told_late}
    zoom.require_configured()
    until = time.monotonic() + BUDGET_SECONDS
    run = Run(Pacer(zoom.CHANNEL, until=until), until, stop or threading.Event())
    with suppress(RunIsOver):
        for session in chosen:
            run.results.append(_schedule(session, run))
    return {**_result(candidates, run.results, note=run.pacer.closed), "told_late": told_late}


def tell_who_enrolled_since(now: datetime, *, hours: float) -> int:
    """Queue the join link for who enrolled after the meeting was made; return how many messages."""
    coming = ClassSession.objects.filter(
        status=ClassSession.Status.SCHEDULED,
        meeting_id__isnull=False,
        starts_at__gt=now,
        starts_at__lte=now + timedelta(hours=hours),
    )
    with transaction.atomic():
        return sum(tell_joiners(each) for each in coming.select_related("instructor"))


def _result(candidates: int, results: list[dict[str, Any]], *, note: str) -> dict[str, Any]:
    made = sum(line["ok"] and not line.get("dry_run") for line in results)
    return {
        "ok": True,
        "candidates": candidates,
        "invoked": made,
        "skipped": candidates - made,
        "results": results,
        "note": note,
    }


def _would_make(session: ClassSession) -> dict[str, Any]:
    line = {**_line(session), "dry_run": True}
    if session.ends_at is None:
        return {**line, "ok": False, "error": NO_END}
    wanted = _wanted(session)
    told = {"topic": wanted.topic, "minutes": wanted.minutes, "host": host_of(session)}
    return {**line, "ok": True, **told}


def _line(session: ClassSession) -> dict[str, Any]:
    return {
        "session_id": session.pk,
        "title": session.title,
        "starts_at": session.starts_at.isoformat(),
    }


def _schedule(session: ClassSession, run: Run) -> dict[str, Any]:
    """Give one class its meeting and return what became of it."""
    try:
        return {**_line(session), **_made(session, run)}
    except ProviderError as error:
        _refused(session, error, run)
        return {**_line(session), "ok": False, "error": str(error)}


def _made(session: ClassSession, run: Run) -> dict[str, Any]:
    """Find or make the meeting and keep it; raise ProviderError."""
    host = host_of(session)
    if session.ends_at is None:
        raise ProviderError(NO_END, permanent=True, cause=Cause.MESSAGE)
    if host in run.full_hosts:
        raise ProviderError(FULL, cause=Cause.RECIPIENT_LIMIT)
    run.wait_for_a_slot()
    asked_at = time.monotonic()
    if not _ask(session):
        return {"ok": False, "error": ASKED_ALREADY}
    wanted, meeting = _wanted(session), None
    if session.meeting_asked_at is not None:
        meeting = run.call(lambda: zoom.find_meeting(host, wanted.marker))
    is_found = meeting is not None
    if meeting is None:
        run.wait_for_a_slot(until=asked_at + CALLED_WITHIN)
        meeting = run.call(lambda: zoom.create_meeting(host, wanted))
    note = _keep(session, meeting)
    if note is not None:
        return {"ok": True, "meeting_id": meeting.id, "found": is_found, "note": note}
    run.call(partial(zoom.delete_meeting, meeting.id))
    return {"ok": False, "error": CHANGED}


def _ask(session: ClassSession) -> bool:
    """Say that a create may be under way; return False where it changed or is asked for already."""
    is_free = Q(meeting_asked_at=None) | Q(meeting_asked_at__lt=Now() - LEFT_ALONE)
    return bool(_as_it_was(session).filter(is_free).update(meeting_asked_at=Now()))


def _keep(session: ClassSession, meeting: zoom.Meeting) -> str | None:
    """Store the meeting and queue who is told of it; return None where the class changed, else
    why its host was not told, or ""."""
    with transaction.atomic():
        kept = _as_it_was(session).update(
            meeting_id=meeting.id,
            join_link=meeting.join_link,
            host_link=meeting.host_link,
            meeting_asked_at=None,
            meeting_due_at=None,
            meeting_error="",
            updated_at=Now(),
        )
        if not kept:
            return None
        session.refresh_from_db()
        tell_joiners(session)
        return tell_host(session)


def _as_it_was(session: ClassSession) -> QuerySet[ClassSession]:
    """Return the class if it still needs this very meeting."""
    return ClassSession.objects.filter(
        pk=session.pk,
        status=ClassSession.Status.SCHEDULED,
        is_online=True,
        meeting_id=None,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
    )


def _refused(session: ClassSession, error: ProviderError, run: Run) -> None:
    """Write down why a class has no meeting, and from when on to ask again."""
    rows = ClassSession.objects.filter(pk=session.pk, meeting_id=None)
    told: dict[str, Any] = {"meeting_error": str(error)}
    if session.meeting_asked_at is None and error.cause not in IN_DOUBT:
        told["meeting_asked_at"] = None
    if error.cause is Cause.RECIPIENT_LIMIT:
        run.full_hosts.add(host_of(session))
        told["meeting_due_at"] = channels.NextUtc("day")
    if error.permanent:
        told["meeting_due_at"] = Now() + NOT_BEFORE
    rows.update(**told)


def host_of(session: ClassSession) -> str:
    """Return the Zoom user who holds the class: its instructor's, or the account's own."""
    return (session.instructor.zoom_user if session.instructor else "") or zoom.ME


def _wanted(session: ClassSession) -> zoom.Wanted:
    assert session.ends_at is not None
    length = session.ends_at - session.starts_at
    return zoom.Wanted(
        topic=session.title,
        starts_at=session.starts_at,
        minutes=max(1, math.ceil(length / timedelta(minutes=1))),
        marker=f"egac-class-{session.pk}",
    )
