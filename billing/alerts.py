"""What staff are told by e-mail, through the queue as everything else."""

from django.conf import settings

from egac.mail import staff_addresses
from notifications.services import Message, email_payload


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
