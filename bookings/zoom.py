"""Which classes get a meeting at Zoom, who is told late, and whose meeting is taken back."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bookings.joining import joiners_to_tell, tell_joiners, would_tell_of_meeting
from bookings.meeting import (
    LEFT_ALONE,
    NO_END,
    Line,
    asked_host_of,
    give_meeting,
    host_of,
    line_of,
    take_meeting_back,
    wanted_of,
)
from bookings.models import ClassSession
from bookings.zoom_run import Run, RunIsOver
from egac.pacer import Pacer
from egac.providers import zoom
from notifications.services import Message, rows_of_messages

BUDGET_SECONDS = 240.0  # the next run is due after five minutes
MOST_TAKEN_BACK = 20  # in a run, of the meetings that nobody needs
DRY_RUN = "Dry run: no meeting was made, and nobody was told."
IS_WANTED = Q(status=ClassSession.Status.SCHEDULED, is_online=True)


def without_meeting(now: datetime, *, hours: float) -> QuerySet[ClassSession]:
    """Return the online classes that start within so many hours and have none, soonest first."""
    return ClassSession.objects.filter(
        IS_WANTED,
        meeting_id=None,
        starts_at__gt=now,
        starts_at__lte=now + timedelta(hours=hours),
    ).order_by("starts_at", "pk")


def unwanted(now: datetime) -> QuerySet[ClassSession]:
    """Return the classes to come that were cancelled, or are online no more, while their meeting
    was asked for: nobody knows whether Zoom made it."""
    return ClassSession.objects.exclude(IS_WANTED).filter(
        meeting_id=None, starts_at__gt=now, meeting_asked_at__lt=Now() - LEFT_ALONE
    )


def schedule_meetings(
    now: datetime,
    *,
    hours: float,
    limit: int | None = None,
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Make the meetings that are missing, tell who joins and who hosts, return what became of each.

    Where a class has its meeting already, people who enrolled since are told too. A meeting that
    a class asked for and no longer needs is taken back. Raises NotConfigured where Zoom has to be
    asked and is not configured.
    """
    work = _work(now, hours=hours, limit=limit)
    if dry_run or settings.ZOOM_DRY_RUN:
        return _foretold(work)
    return _done(work, stop or threading.Event())


@dataclass(frozen=True)
class Work:
    """What a run finds to do."""

    candidates: int  # classes without a meeting, also those that are not due or beyond the limit
    missing: list[ClassSession]
    with_meeting: list[ClassSession]
    unwanted: list[ClassSession]


def _work(now: datetime, *, hours: float, limit: int | None) -> Work:
    missing = without_meeting(now, hours=hours)
    return Work(
        missing.count(),
        _due(missing, limit),
        list(_with_meeting(now, hours=hours)),
        _due(unwanted(now).order_by("meeting_asked_at", "pk"), MOST_TAKEN_BACK),
    )


def _foretold(work: Work) -> dict[str, Any]:
    """Return what _done would do; nothing is written."""
    return _result(
        work,
        [_would_make(session) for session in work.missing],
        late=_told_late(work, joiners_to_tell),
        taken_back=[_would_take_back(session) for session in work.unwanted],
        note=DRY_RUN,
    )


def _done(work: Work, stop: threading.Event) -> dict[str, Any]:
    with transaction.atomic():
        late = _told_late(work, tell_joiners)
    if not work.candidates and not work.unwanted:
        return _result(work, [], late=late, taken_back=[], note="")
    run = _run(work, stop)
    return _result(work, run.results, late=late, taken_back=run.taken_back, note=run.pacer.closed)


def _due(sessions: QuerySet[ClassSession], limit: int | None) -> list[ClassSession]:
    due = sessions.filter(Q(meeting_due_at=None) | Q(meeting_due_at__lte=Now()))
    return list(due.select_related("instructor")[:limit])


def _with_meeting(now: datetime, *, hours: float) -> QuerySet[ClassSession]:
    coming = ClassSession.objects.filter(
        status=ClassSession.Status.SCHEDULED,
        meeting_id__isnull=False,
        starts_at__gt=now,
        starts_at__lte=now + timedelta(hours=hours),
    )
    return coming.select_related("instructor").order_by("starts_at", "pk")


def _run(work: Work, stop: threading.Event) -> Run:
    """Make the meetings, then take back what nobody needs, as far as time and channel allow."""
    zoom.require_configured()
    until = time.monotonic() + BUDGET_SECONDS
    run = Run(Pacer(zoom.CHANNEL, until=until), until, stop)
    with suppress(RunIsOver):
        for session in work.missing:
            run.results.append(give_meeting(session, run))
        for session in work.unwanted:
            run.taken_back.append(take_meeting_back(session, run))
    return run


def _told_late(work: Work, tell: Callable[[ClassSession], list[Message]]) -> list[Line]:
    """Return the classes of which somebody is told who enrolled after the meeting was made."""
    told = ((session, tell(session)) for session in work.with_meeting)
    return [
        {**line_of(session), "messages": rows_of_messages(messages)}
        for session, messages in told
        if messages
    ]


def _result(
    work: Work, lines: list[Line], *, late: list[Line], taken_back: list[Line], note: str
) -> dict[str, Any]:
    made = sum(line["ok"] and not line.get("dry_run") for line in lines)
    return {
        "ok": True,
        "candidates": work.candidates,
        "invoked": made,
        "skipped": work.candidates - made,
        "results": lines,
        "told_late": sum(len(line["messages"]) for line in late),
        "late": late,
        "taken_back": taken_back,
        "note": note,
    }


def _would_make(session: ClassSession) -> Line:
    line = {**line_of(session), "dry_run": True}
    if session.ends_at is None:
        return {**line, "ok": False, "error": NO_END}
    wanted = wanted_of(session)
    meeting = {"topic": wanted.topic, "minutes": wanted.minutes, "host": host_of(session)}
    return {**line, "ok": True, **meeting, **would_tell_of_meeting(session)}


def _would_take_back(session: ClassSession) -> Line:
    return {**line_of(session), "dry_run": True, "ok": True, "host": asked_host_of(session)}
