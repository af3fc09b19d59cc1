"""What tests of the admin's pages press and read."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from invites.models import Invite
from tests.invites.factories import InviteFactory

LIST = "/admin/invites/invite/"
REFUSED = {
    "code": "validation_error",
    "message": "Resend answered 422 validation_error: No such mailbox.",
}


WHY = "They came by phone."


def failed(**fields: Any) -> Invite:
    """Return an invite whose address the provider refused."""
    return InviteFactory(
        status=Invite.Status.FAILED, reason="permanent", last_error=REFUSED, **fields
    )


def ask(client: Client, action: str, *invites: Invite, **more: str) -> dict[str, Any]:
    """Press a button of the list, and return what the page that asks would post."""
    keys = [str(invite.pk) for invite in invites]
    answer = client.post(f"{LIST}{action}/", {"_selected_action": keys, **more})
    context: Any = answer.context
    return {"seen": context["seen"], "back": context["back"]}


def confirm(client: Client, action: str, posted: dict[str, Any], **more: str) -> str:
    """Press the button of the page that asks, and return the message that follows."""
    answer = client.post(f"{LIST}{action}/", {"reason": WHY, **posted, **more}, follow=True)
    return message_of(answer)


def message_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def page_of(answer: HttpResponse) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())
