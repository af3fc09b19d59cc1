"""Who is told of an online class's meeting: everyone enrolled joins by it, its host starts it."""

from datetime import datetime, timedelta
from typing import Any

from bookings.models import ClassSession, Customer
from bookings.notices import CLASS_IS_AHEAD, Notice, messages_to
from bookings.sessions import customers_booked
from egac.days import instant_in_words
from egac.outbox import Unsendable
from notifications.services import URGENT, Message, email_payload, enqueue

LONGEST_CLASS = timedelta(hours=12)  # of one that lost its end


def tell_joiners(session: ClassSession) -> int:
    """Queue the join link for everyone enrolled, once each; return how many messages are new.

    Belongs in the transaction that stores the meeting, or that enrols somebody later.
    """
    return len(
        enqueue(
            [
                message
                for customer in customers_booked(session).order_by("pk")
                for message in messages_to(customer, _join(session, customer))
            ]
        )
    )


def tell_host(session: ClassSession) -> str:
    """Queue the host link for the instructor; return why nobody was told, or ""."""
    host = session.instructor
    if host is None:
        return "It has no instructor, so nobody was sent the host link."
    kind = "class_host_notification"
    context = {**_facts(session), "instructor": host.name, "host_link": session.host_link}
    message = Message(
        kind,
        email_payload(kind, to=host.email, context=context),
        key=f"{_key(session)}/host",
        priority=URGENT,
        expires_at=_useful_until(session),
        relevance=CLASS_IS_AHEAD,
    )
    try:
        enqueue([message])
    except Unsendable:
        return f"{host} has no usable e-mail address, so nobody was sent the host link."
    return ""


def _join(session: ClassSession, customer: Customer) -> Notice:
    return Notice(
        "class_notification",
        {
            **_facts(session),
            "name": customer.name,
            "instructor": session.instructor.name if session.instructor else "the club",
            "join_link": session.join_link,
        },
        key=f"{_key(session)}/{customer.pk}",
        priority=URGENT,
        expires_at=_useful_until(session),
        relevance=CLASS_IS_AHEAD,
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
