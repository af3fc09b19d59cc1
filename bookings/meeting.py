"""The meeting of one online class: one at most, whatever dies on the way.

Zoom knows no idempotency key. So a class says of whom a meeting is asked before the call; where
that was never answered, the meeting is looked up there by its marker before another is made. One
that is not as wanted any more is taken back. Two runs never ask for one class side by side: an ask
is left alone for LEFT_ALONE, and nothing is made or taken back later than CALLED_WITHIN after it.
"""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bookings.joining import tell_of_meeting
from bookings.models import ClassSession
from bookings.zoom_run import Run
from egac import channels
from egac.providers import Cause, ProviderError, zoom

LEFT_ALONE = timedelta(seconds=60)
CALLED_WITHIN = 15.0  # seconds
NOT_BEFORE = timedelta(hours=1)  # after a refusal that a person may mend

CHANGED = "The class was cancelled or changed meanwhile, so its new meeting was taken back."
ASKED_ALREADY = (
    "It changed, or another run asks for its meeting right now: the next run looks again."
)
FULL = "Its host has had all the meetings that Zoom allows in a day: it waits until tomorrow (UTC)."
NO_END = "It has no end, so nobody knows how long its meeting is. Add one in the admin."
IN_DOUBT = (Cause.UNKNOWN, Cause.UNAVAILABLE)

Line = dict[str, Any]


def give_meeting(session: ClassSession, run: Run) -> Line:
    """Give one class its meeting, tell who joins and who hosts, and return what became of it."""
    return _told(session, run, _made)


def take_meeting_back(session: ClassSession, run: Run) -> Line:
    """Delete the meeting that a class asked for and no longer needs; return what became of it."""
    return _told(session, run, _taken_back)


def line_of(session: ClassSession) -> Line:
    """Return how a result names a class."""
    return {
        "session_id": session.pk,
        "title": session.title,
        "starts_at": session.starts_at.isoformat(),
    }


def host_of(session: ClassSession) -> str:
    """Return the Zoom user who holds the class: its instructor's, or the account's own."""
    return (session.instructor.zoom_user if session.instructor else "") or zoom.ME


def asked_host_of(session: ClassSession) -> str:
    """Return the Zoom user of whom a meeting was asked, whoever holds the class now."""
    return session.meeting_asked_host or host_of(session)


def wanted_of(session: ClassSession) -> zoom.Wanted:
    """Return the meeting that a class with an end needs."""
    assert session.ends_at is not None
    length = session.ends_at - session.starts_at
    return zoom.Wanted(
        topic=session.title,
        starts_at=session.starts_at,
        minutes=max(1, math.ceil(length / timedelta(minutes=1))),
        marker=_marker(session),
    )


def _told(session: ClassSession, run: Run, act: Callable[[ClassSession, Run], Line]) -> Line:
    try:
        return {**line_of(session), **act(session, run)}
    except ProviderError as error:
        _refused(session, error, run)
        return {**line_of(session), "ok": False, "error": str(error)}


def _made(session: ClassSession, run: Run) -> Line:
    """Find or make the meeting and keep it; raise ProviderError."""
    if session.ends_at is None:
        raise ProviderError(NO_END, permanent=True, cause=Cause.MESSAGE)
    if host_of(session) in run.full_hosts:
        raise ProviderError(FULL, cause=Cause.RECIPIENT_LIMIT)
    run.wait_for_a_slot()
    until = time.monotonic() + CALLED_WITHIN
    if not _ask(session):
        return {"ok": False, "error": ASKED_ALREADY}
    found = _found_as_wanted(session, run, until=until)
    meeting = found or _create(session, run, until=until)
    told = _keep(session, meeting)
    if told is not None:
        return {"ok": True, "meeting_id": meeting.id, "found": found is not None, **told}
    _delete(meeting, run, until=until)
    _forget(session)
    return {"ok": False, "error": CHANGED}


def _taken_back(session: ClassSession, run: Run) -> Line:
    """Delete the meeting if it ever came about; raise ProviderError."""
    run.wait_for_a_slot()
    until = time.monotonic() + CALLED_WITHIN
    if not _ask(session):
        return {"ok": False, "error": ASKED_ALREADY}
    meeting = _look_up(session, run)
    if meeting is not None:
        _delete(meeting, run, until=until)
    _forget(session)
    return {
        "ok": True,
        "host": asked_host_of(session),
        "meeting_id": meeting.id if meeting else None,
    }


def _ask(session: ClassSession) -> bool:
    """Say that a call may be under way; return False where it changed or is asked for already."""
    as_asked = _as_it_was(session).filter(meeting_asked_at=session.meeting_asked_at)
    is_free = Q(meeting_asked_at=None) | Q(meeting_asked_at__lt=Now() - LEFT_ALONE)
    return bool(as_asked.filter(is_free).update(meeting_asked_at=Now()))


def _found_as_wanted(session: ClassSession, run: Run, *, until: float) -> zoom.Meeting | None:
    """Return the meeting of an ask without an answer; take one back that fits no more."""
    meeting = _look_up(session, run) if session.meeting_asked_at else None
    is_hosts = asked_host_of(session) == host_of(session)
    if meeting is None or (is_hosts and meeting.is_as(wanted_of(session))):
        return meeting
    _delete(meeting, run, until=until)
    return None


def _look_up(session: ClassSession, run: Run) -> zoom.Meeting | None:
    return run.call(partial(zoom.find_meeting, asked_host_of(session), _marker(session)))


def _create(session: ClassSession, run: Run, *, until: float) -> zoom.Meeting:
    """Make the meeting; where Zoom surely made none, nothing has to be looked up later."""
    run.wait_for_a_slot(until=until)
    host = host_of(session)
    _unmet(session).update(meeting_asked_host=host)
    try:
        return run.call(partial(zoom.create_meeting, host, wanted_of(session)))
    except ProviderError as error:
        if session.meeting_asked_at is None and error.cause not in IN_DOUBT:
            _forget(session)
        raise


def _delete(meeting: zoom.Meeting, run: Run, *, until: float) -> None:
    run.wait_for_a_slot(until=until)
    run.call(partial(zoom.delete_meeting, meeting.id))


def _keep(session: ClassSession, meeting: zoom.Meeting) -> Line | None:
    """Store the meeting and queue who is told of it; return that, or None where it changed."""
    with transaction.atomic():
        kept = _as_it_was(session).update(
            meeting_id=meeting.id,
            join_link=meeting.join_link,
            host_link=meeting.host_link,
            meeting_asked_at=None,
            meeting_asked_host="",
            meeting_due_at=None,
            meeting_error="",
            updated_at=Now(),
        )
        if not kept:
            return None
        session.refresh_from_db()
        return tell_of_meeting(session)


def _as_it_was(session: ClassSession) -> QuerySet[ClassSession]:
    """Return the class if nothing changed that its meeting depends on."""
    return _unmet(session).filter(
        status=session.status,
        is_online=session.is_online,
        instructor=session.instructor_id,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
    )


def _unmet(session: ClassSession) -> QuerySet[ClassSession]:
    """Return the class if it has no meeting."""
    return ClassSession.objects.filter(pk=session.pk, meeting_id=None)


def _forget(session: ClassSession) -> None:
    """Say that no meeting of this class is left at Zoom."""
    _unmet(session).update(meeting_asked_at=None, meeting_asked_host="", meeting_error="")


def _refused(session: ClassSession, error: ProviderError, run: Run) -> None:
    """Write down what Zoom refused, and from when on to ask again."""
    told: Line = {"meeting_error": str(error)}
    if error.cause is Cause.RECIPIENT_LIMIT:
        run.full_hosts.add(host_of(session))
        told["meeting_due_at"] = channels.NextUtc("day")
    if error.permanent:
        told["meeting_due_at"] = Now() + NOT_BEFORE
    _unmet(session).update(**told)


def _marker(session: ClassSession) -> str:
    return f"egac-class-{session.pk}"
