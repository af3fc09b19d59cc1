"""Who is told of an online class's meeting: everyone enrolled joins by it, its host starts it."""

from datetime import datetime, timedelta
from typing import Any

from bookings.models import Booking, ClassSession, Enrolment
from bookings.services import Notice, messages_to
from egac.days import instant_in_words
from notifications.services import URGENT, Message, email_payload, enqueue

LONGEST_CLASS = timedelta(hours=12)  # of one that lost its end


def tell_joiners(session: ClassSession) -> int:
    """Queue the join link for everyone enrolled, once each; return how many messages are new.

    Belongs in the transaction that stores the meeting, or that enrols somebody later.
    """
    enrolments = Enrolment.objects.filter(session=session).exclude(
        booking__status=Booking.Status.CANCELLED
    )
    messages = [
        message
        for enrolment in enrolments.select_related("booking__customer").order_by("pk")
        for message in messages_to(enrolment.booking.customer, _notice(session, enrolment))
    ]
    return len(enqueue(messages))


def tell_host(session: ClassSession) -> int:
    """Queue the host link for the instructor; return how many messages are new."""
    host = session.instructor
    if host is None or not host.email:
        return 0
    kind = "class_host_notification"
    context = {**_facts(session), "instructor": host.name, "host_link": session.host_link}
    payload = email_payload(kind, to=host.email, context=context)
    return len(
        enqueue(
            [
                Message(
                    kind,
                    payload,
                    key=f"{_key(session)}/host",
                    priority=URGENT,
                    expires_at=_useful_until(session),
                    relevance=RELEVANCE,
                )
            ]
        )
    )


def _notice(session: ClassSession, enrolment: Enrolment) -> Notice:
    return Notice(
        "class_notification",
        {
            **_facts(session),
            "name": enrolment.booking.customer.name,
            "instructor": session.instructor.name if session.instructor else "the club",
            "join_link": session.join_link,
        },
        key=f"{_key(session)}/{enrolment.pk}",
        priority=URGENT,
        expires_at=_useful_until(session),
        relevance=RELEVANCE,
    )


def _facts(session: ClassSession) -> dict[str, Any]:
    return {
        "class_name": session.title,
        "starts_at": instant_in_words(session.starts_at),
        "session_id": session.pk,  # for the relevance check
    }


def _key(session: ClassSession) -> str:
    return f"class_session/{session.pk}/{session.meeting_id}"


def _useful_until(session: ClassSession) -> datetime:
    return session.ends_at or session.starts_at + LONGEST_CLASS


RELEVANCE = ""
