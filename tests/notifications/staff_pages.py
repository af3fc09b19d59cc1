"""What tests of the queue's pages press and read."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from notifications.models import Notification
from tests.notifications.factories import email, queue

Status = Notification.Status
LIST = "/admin/notifications/notification/"
VERBS = ("retry", "cancel", "reschedule")


def failed(**fields: Any) -> Notification:
    return queue(email(), status=Status.FAILED, reason="exhausted", attempts=5, **fields)


WHY = "The class is another day."


def ask(client: Client, verb: str, *rows: Notification) -> dict[str, Any]:
    """Press a button of the list, and return what the page that asks would post."""
    answer = client.post(f"{LIST}{verb}/", {"_selected_action": [row.pk for row in rows]})
    context: Any = answer.context
    return {"seen": context["seen"], "back": context["back"]}


def confirm(client: Client, verb: str, posted: dict[str, Any], **more: str) -> str:
    """Press the button of the page that asks, and return the message that follows."""
    return message_of(client.post(f"{LIST}{verb}/", {"reason": WHY, **posted, **more}, follow=True))


def message_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def page_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def record_of(client: Client, row: Notification) -> str:
    return page_of(client.get(f"{LIST}{row.pk}/change/"))


def listed(client: Client, query: str) -> set[int]:
    return {row.pk for row in client.get(f"{LIST}?{query}").context["cl"].result_list}


def tomorrow() -> str:
    return f"{timezone.localdate() + timedelta(days=1)}T12:00"
