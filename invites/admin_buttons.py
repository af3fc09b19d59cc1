"""The four buttons of invites: what each says, which states it takes, and its verb."""

from collections.abc import Callable

from egac.admin_actions import MOST_SHOWN, Line, StaffAction
from egac.outbox import Irrelevant, Unsendable
from invites import services
from invites.models import Invite
from invites.services import Changed, Refused

SENT_AT_ONCE = MOST_SHOWN  # more than these wait for the next run

RETRY = StaffAction(
    "retry",
    "Retry now",
    "invites.retry_invite",
    f"Up to {SENT_AT_ONCE} are sent at once; more are made due, and the next run sends them. "
    "Failed and cancelled ones get all their attempts again.",
)
CANCEL = StaffAction(
    "cancel",
    "Cancel",
    "invites.cancel_invite",
    "They are not sent. Their links, where somebody has one already, stay good.",
)
SEND = StaffAction(
    "send",
    "Send one for real",
    "invites.send_invite",
    "This one e-mail is sent now, and nothing else.",
    one_only=True,
)
SEND_AGAIN = StaffAction(
    "send_again",
    "Send again",
    "invites.send_again_invite",
    "The same person gets the e-mail once more, with the same personal link.",
    asks_reason=True,
)
ELIGIBLE = {
    RETRY: services.RETRIED,
    CANCEL: services.TAKEN_BACK,
    SEND: services.RETRIED,
    SEND_AGAIN: services.SENT_AGAIN,
}
VERBS: dict[StaffAction, Callable[..., Changed]] = {
    RETRY: services.retry_now,
    CANCEL: services.cancel_invites,
    SEND: services.retry_now,
    SEND_AGAIN: services.send_again,
}


def line_of(action: StaffAction, invite: Invite, suppressed: dict[str, str]) -> Line:
    """Return to whom the button would send what, and what speaks against it."""
    name = invite.enquiry.name if invite.enquiry else None
    to = f"{name or 'No name'} <{invite.recipient or 'no address'}>"
    if action is CANCEL:
        return Line(to, "")
    try:
        waits = invite.status == Invite.Status.PENDING
        message = invite.message() if waits else services.what_would_go(invite)
    except (Refused, Unsendable, Irrelevant) as error:
        return Line(to, "", warning=f"It will fail: {error}")
    why = suppressed.get(invite.recipient.lower())
    return Line(to, message["subject"], f"It will not be sent: {why}." if why else "")
