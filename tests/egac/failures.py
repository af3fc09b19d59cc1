"""What tests of failures by cause make fail, press and read."""

import html
import re
from typing import Any

from django.db.models.functions import Now
from django.test import Client

from egac.causes import causes_of
from invites.models import Invite
from notifications.models import Notification
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue

PAGE = "/admin/egac/failure/"
REFUSED = "Resend answered 422 validation_error: No mailbox {0}@x.example, id re_{0}ab."
WHY = "The boxes are back."
Status = Notification.Status


def fail(count: int, *, error: str = REFUSED, **fields: Any) -> list[Notification]:
    """Return so many messages that failed for one cause."""
    return [
        queue(
            fields.get("payload", email(f"row{number}@families.example")),
            status=Status.FAILED,
            reason=fields.get("reason", "permanent"),
            last_error=error.format(f"p{number}"),
            failed_at=Now(),
        )
        for number in range(count)
    ]


def fail_invites(count: int) -> list[Invite]:
    told = {"code": "timeout", "message": "api.resend.com did not answer in time."}
    return [
        InviteFactory(status=Invite.Status.FAILED, reason="exhausted", last_error=told)
        for _ in range(count)
    ]


def url_of(model: Any = Notification, button: str = "retry") -> str:
    (cause,) = causes_of(model)
    return f"{PAGE}{model._meta.db_table}-{cause.name}/{button}/"


def page_of(client: Client, url: str = PAGE) -> str:
    return words_of(client.get(url).content.decode())


def words_of(page: str) -> str:
    text = re.sub(r"<[^>]+>", " ", page)
    return " ".join(html.unescape(text).split())


def ask(client: Client, url: str) -> dict[str, str]:
    """Press the button; return what its page would post."""
    answer: Any = client.post(url)
    return {"seen": answer.context["seen"], "reason": WHY}


def confirm(client: Client, url: str, posted: dict[str, str]) -> str:
    """Press the button of the page that asks; return what the next page tells."""
    page = client.post(url, posted, follow=True).content.decode()
    found = re.findall(r'<li class="(?:success|warning|error)">(.*?)</li>', page)
    return html.unescape(" ".join(found))


def press(client: Client, model: Any = Notification) -> str:
    url = url_of(model)
    return confirm(client, url, ask(client, url))
