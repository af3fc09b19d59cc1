"""What tests of bookings' pages press and read."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

ADMIN = "/admin/bookings"
CUSTOMERS, BOOKINGS = f"{ADMIN}/customer/", f"{ADMIN}/booking/"
SESSIONS, PLACES = f"{ADMIN}/classsession/", f"{ADMIN}/enrolment/"


def ask(client: Client, button: str, *rows: Any) -> dict[str, Any]:
    """Press a button, named by its address, and return what the page that asks would post."""
    answer = client.post(button, {"_selected_action": [str(row.pk) for row in rows]})
    context: Any = answer.context
    return {"seen": context["seen"], "back": context["back"]}


def press(client: Client, button: str, *rows: Any, **more: str) -> str:
    """Press a button and confirm it; return the message that follows."""
    return confirm(client, button, ask(client, button, *rows), **more)


def confirm(client: Client, button: str, posted: dict[str, Any], **more: str) -> str:
    """Press the button of the page that asks, and return the message that follows."""
    return message_of(client.post(button, {**posted, **more}, follow=True))


def message_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def errors_of(answer: Any) -> str:
    """Return what a form refused, in one text."""
    form = answer.context["adminform"].form
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def page_of(answer: HttpResponse) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())
