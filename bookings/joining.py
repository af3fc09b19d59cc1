"""Who is told of an online class's meeting: everyone enrolled joins by it, its host starts it."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any

from bookings.models import ClassSession, Customer
from bookings.notices import CLASS_IS_AHEAD, Notice, messages_to
from bookings.sessions import first_places
from egac.days import instant_in_words
from egac.mail import is_usable
from notifications.models import Notification
from notifications.services import URGENT, Message, email_payload, enqueue, rows_of_messages

LONGEST_CLASS = timedelta(hours=12)  # of one that lost its end
NO_LINK_YET = "https://zoom.us/"  # in the place of a link, which no result tells


def tell_of_meeting(session: ClassSession) -> dict[str, Any]:
    """Queue who joins and who hosts; return the messages, and why nobody hosts, as a result says.

    Belongs in the transaction that stores the meeting.
    """
    messages = [*_to_joiners(session), *_to_host(session)]
    enqueue(messages)
    return _in_a_result(session, messages)


def would_tell_of_meeting(session: ClassSession) -> dict[str, Any]:
    """Return what tell_of_meeting would once a meeting is made; nothing is written."""
    made = copy(session)
    made.join_link = made.host_link = NO_LINK_YET
    return _in_a_result(made, [*_to_joiners(made), *_to_host(made)])


def tell_joiners(session: ClassSession) -> list[Message]:
    """Queue the join link for everyone enrolled, once each; return the messages that are new.

    Belongs in the transaction that enrols somebody.
    """
    messages = _to_joiners(session)
    new = enqueue(messages)
    return [each for each in messages if each.key in new]


def joiners_to_tell(session: ClassSession) -> list[Message]:
    """Return the messages that tell_joiners would queue; nothing is written."""
    messages = _to_joiners(session)
    known = Notification.objects.filter(key__in=[each.key for each in messages])
    queued = set(known.values_list("key", flat=True))
    return [each for each in messages if each.key not in queued]


def _in_a_result(session: ClassSession, messages: list[Message]) -> dict[str, Any]:
    return {"note": _why_no_host_is_told(session), "messages": rows_of_messages(messages)}


def _to_joiners(session: ClassSession) -> list[Message]:
    places = first_places(session)
    return [
        message
        for customer in Customer.objects.filter(pk__in=places).order_by("pk")
        for message in messages_to(customer, _join(session, customer, places[customer.pk]))
    ]


def _to_host(session: ClassSession) -> list[Message]:
    """Return the message with the host link, if there is somebody to have it."""
    host = session.instructor
    if host is None or _why_no_host_is_told(session):
        return []
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
    return [message]


def _why_no_host_is_told(session: ClassSession) -> str:
    host = session.instructor
    if host is None:
        return "It has no instructor, so nobody was sent the host link."
    if not is_usable(host.email):
        return f"{host} has no usable e-mail address, so nobody was sent the host link."
    return ""


def _join(session: ClassSession, customer: Customer, place: int) -> Notice:
    """Return the join link for who holds a place: who gave one up and has another is told anew."""
    return Notice(
        "class_notification",
        {
            **_facts(session),
            "name": customer.name,
            "instructor": session.instructor.name if session.instructor else "the club",
            "join_link": session.join_link,
        },
        key=f"{_key(session)}/place/{place}",
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
