"""Class sessions: who came, whether one took place, whether it is cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from bookings.models import Booking, ClassSession, Customer, Enrolment
from bookings.notices import Notice, messages_to
from egac.days import instant_in_words
from egac.staff import Changed, Seen, change, together
from notifications.services import URGENT, Message, enqueue

Status = ClassSession.Status
Attendance = Enrolment.Attendance


def sessions_by_the_clock() -> QuerySet[Any]:
    """Return every session with `has_begun` and `is_over`, by the database's clock.

    One without an end is over as soon as it has begun.
    """
    return ClassSession.objects.alias(until=Coalesce("ends_at", "starts_at")).annotate(
        has_begun=Q(starts_at__lte=Now()), is_over=Q(until__lte=Now())
    )


def mark_attendance(
    ids: Sequence[int], *, attendance: Attendance, actor: str, seen: Seen | None = None
) -> Changed:
    """Note of enrolments whether they came; a class has to have begun for that."""
    return change(
        enrolments_by_the_clock(),
        ids=ids,
        why_not=lambda each: why_not_marked(each, attendance),
        act=lambda chosen: chosen.update(attendance=attendance, changed_by=actor, updated_at=Now()),
        seen=seen,
    )


def mark_register(
    marks: Mapping[int, Attendance], *, actor: str, seen: Seen | None = None
) -> Changed:
    """Note of each enrolment its own mark, all or nothing."""
    with transaction.atomic():
        return together(
            mark_attendance(ids, attendance=attendance, actor=actor, seen=seen)
            for attendance in Attendance
            if (ids := [key for key, mark in marks.items() if mark == attendance])
        )


def enrolments_by_the_clock() -> QuerySet[Any]:
    """Return every enrolment with its session and whether that `has_begun`."""
    begun = Q(session__starts_at__lte=Now())
    return Enrolment.objects.select_related("session").annotate(has_begun=begun)


def why_not_marked(enrolment: Any, attendance: Attendance) -> str:
    """Return why attendance of a row of `enrolments_by_the_clock` cannot be noted so, or ""."""
    if enrolment.session.status == Status.CANCELLED:
        return "in a cancelled class"
    if enrolment.attendance == attendance:
        return "marked so already"
    return "" if enrolment.has_begun else "in a class that has not begun"


def complete_sessions(ids: Sequence[int], *, actor: str, seen: Seen | None = None) -> Changed:
    """Note that sessions took place."""
    return change(
        sessions_by_the_clock(),
        ids=ids,
        why_not=why_not_completed,
        act=lambda chosen: chosen.update(
            status=Status.COMPLETED, closed_by=actor, closed_at=Now(), updated_at=Now()
        ),
        seen=seen,
    )


WHY_CLOSED = {Status.COMPLETED: "took place", Status.CANCELLED: "cancelled already"}


def why_not_completed(session: Any) -> str:
    """Return why a row of `sessions_by_the_clock` cannot have taken place, or ""."""
    if session.status in WHY_CLOSED:
        return WHY_CLOSED[Status(session.status)]
    return "" if session.has_begun else "not begun yet"


def cancel_sessions(
    ids: Sequence[int], *, because: str, actor: str, seen: Seen | None = None
) -> Changed:
    """Cancel sessions and tell everyone booked why, in one transaction.

    Everyone gets one message a channel for a session, however many bookings they have in it. Of a
    class that is over nobody is told.
    """
    with transaction.atomic():
        changed = change(
            ClassSession.objects.all(),
            ids=ids,
            why_not=why_not_called_off,
            act=lambda chosen: chosen.update(
                status=Status.CANCELLED,
                closed_by=actor,
                closed_at=Now(),
                closed_because=because,
                updated_at=Now(),
            ),
            seen=seen,
        )
        ahead = sessions_by_the_clock().filter(pk__in=changed.ids, is_over=False)
        enqueue(
            [message for session in ahead for message in cancellations(session, because=because)]
        )
    return changed


def why_not_called_off(session: ClassSession) -> str:
    """Return why this session cannot be cancelled, or ""."""
    return WHY_CLOSED.get(Status(session.status), "")


def customers_booked(session: ClassSession) -> QuerySet[Customer]:
    """Return everyone with a place in the session, once."""
    return Customer.objects.filter(pk__in=places_in([session.pk]).values("booking__customer"))


def places_in(sessions: Iterable[int]) -> QuerySet[Enrolment]:
    """Return the places that are held in these sessions, in no order."""
    places = Enrolment.objects.order_by().filter(session__in=list(sessions))
    return places.exclude(booking__status=Booking.Status.CANCELLED)


def first_places(session: ClassSession) -> dict[int, int]:
    """Return the first of the places that each customer holds in a session, as ids."""
    return dict(places_in([session.pk]).values_list("booking__customer").annotate(Min("pk")))


def people_booked(sessions: Sequence[int]) -> dict[int, int]:
    """Return how many people have a place in each of the sessions that anybody has one in."""
    places = places_in(sessions)
    counted = places.values_list("session").annotate(Count("booking__customer", distinct=True))
    return dict(counted)


def cancellations(session: ClassSession, *, because: str) -> list[Message]:
    """Return what everyone booked is told of a class that does not take place."""
    return [
        message
        for customer in customers_booked(session)
        for message in messages_to(
            customer,
            Notice(
                "class_cancelled",
                {
                    "session_id": session.pk,
                    "name": customer.name,
                    "class_name": session.title,
                    "starts_at": instant_in_words(session.starts_at),
                    "cancelled_because": because,
                },
                key=f"class_cancelled/{session.pk}/{customer.pk}",
                expires_at=session.ends_at or session.starts_at,
                priority=URGENT,
            ),
        )
    ]
