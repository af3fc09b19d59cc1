"""Online classes, runs that make their meetings, and what may happen to a class meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from bookings.models import ClassSession
from bookings.services import cancel_sessions, schedule_meetings
from egac.providers import zoom
from notifications.models import Notification
from tests.bookings.factories import ClassSessionFactory
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer


def online(*, hours: float = 4, **fields: Any) -> ClassSession:
    """Return an online class that starts in so many hours."""
    starts_at = timezone.now() + timedelta(hours=hours)
    return ClassSessionFactory.create(online=True, starts_at=starts_at, **fields)


def run(**options: Any) -> dict[str, Any]:
    """Make the meetings that are missing now."""
    return schedule_meetings(timezone.now(), **{"hours": 12, **options})


def later() -> None:
    """Let so much time pass that what was asked for is no longer being answered."""
    ClassSession.objects.filter(meeting_asked_at__isnull=False).update(
        meeting_asked_at=F("meeting_asked_at") - timedelta(minutes=5)
    )


def queued(type: str) -> list[Notification]:
    return list(Notification.objects.filter(type=type).order_by("pk"))


def ask_without_an_answer(provider: ProviderServer) -> None:
    """Let Zoom make a meeting and its answer get lost, and five minutes pass."""
    provider.zoom.faults = fail_next(Fault.reset_after_accepting())
    run()
    later()


@contextmanager
def during_the_create(happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen after Zoom made a meeting and before its answer is kept."""
    create = zoom.create_meeting

    def create_meanwhile(*args: Any) -> zoom.Meeting:
        meeting = create(*args)
        happens()
        return meeting

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoom, "create_meeting", create_meanwhile)
        yield


def cancel(session: ClassSession) -> None:
    cancel_sessions([session.pk], because="Snow", actor="sam")


def hold_offline(session: ClassSession) -> None:
    ClassSession.objects.filter(pk=session.pk).update(is_online=False)


def move(session: ClassSession, *, begin: float = 0, end: float = 0) -> None:
    """Let a class begin and end so many hours later than it was to."""
    ClassSession.objects.filter(pk=session.pk).update(
        starts_at=session.starts_at + timedelta(hours=begin),
        ends_at=session.starts_at + timedelta(hours=1 + end),
    )


def deletes(provider: ProviderServer) -> int:
    return sum(call.method == "DELETE" for call in provider.zoom.calls)
