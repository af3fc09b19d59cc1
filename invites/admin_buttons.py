"""The four buttons of invites: what each says, which states it takes, and its verb."""

from collections.abc import Callable

from egac.console.actions import Line, StaffAction
from egac.console.confirming import MOST_SHOWN
from invites import services
from invites.models import Invite
from invites.services import Changed

SENT_AT_ONCE = MOST_SHOWN  # more than these wait for the next run

RETRY = StaffAction(
    "retry",
    "Retry now",
    "invites.retry_invite",
    f"Up to {SENT_AT_ONCE} are sent at once; more are made due, and the next run sends them. "
    "Failed and cancelled ones get all their attempts again.",
    sends=True,
    asks_number=True,
)
CANCEL = StaffAction(
    "cancel",
    "Cancel",
    "invites.cancel_invite",
    "They are not sent. Their links, where somebody has one already, stay good.",
    needs_reason=True,
    is_drastic=True,
    asks_number=True,
    reason_help="It stands in the history, for example “they came by phone”.",
)
SEND = StaffAction(
    "send",
    "Send one for real",
    "invites.send_invite",
    "This one e-mail is sent now, and nothing else.",
    one_only=True,
    sends=True,
)
SEND_AGAIN = StaffAction(
    "send_again",
    "Send again",
    "invites.send_again_invite",
    "The same person gets the e-mail once more, with the same personal link.",
    needs_reason=True,
    sends=True,
    asks_number=True,
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


def line_of(invite: Invite) -> Line:
    """Return to whom the button is about to do something."""
    name = invite.enquiry.name if invite.enquiry else None
    return Line(f"{name or 'No name'} <{invite.recipient or 'no address'}>", "")
