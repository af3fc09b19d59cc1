"""What staff are told by e-mail, through the queue as everything else."""

from django.conf import settings

from egac.mail import usable_address
from egac.outbox import Unsendable
from notifications.services import Message, email_payload


def staff_addresses() -> list[str]:
    """Return the usable addresses of STAFF_ALERT_EMAILS; a check names the others."""
    return [address for address in settings.STAFF_ALERT_EMAILS if is_usable(address)]


def is_usable(address: str) -> bool:
    """Return whether an address can be written to."""
    try:
        usable_address(address)
    except Unsendable:
        return False
    return True


def staff_alerts(
    headline: str, *, details: str, next_step: str, path: str, key: str
) -> list[Message]:
    """Return one message for each member of staff; `path` leads to the page of the admin.

    Each address adds itself to the key.
    """
    context = {
        "headline": headline,
        "details": details,
        "next_step": next_step,
        "admin_link": f"{settings.OPS_BASE_URL}{path}",
    }
    return [
        Message(
            "staff_alert",
            email_payload("staff_alert", to=address, context=context),
            key=f"{key}/{address}",
        )
        for address in staff_addresses()
    ]
