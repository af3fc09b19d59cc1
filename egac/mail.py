"""E-mail as Resend takes it: one shape for every app, rendered from one folder a type."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template.loader import render_to_string

from egac.outbox import Unsendable


def compose(template: str, *, to: str, context: dict[str, Any], tag: str) -> dict[str, Any]:
    """Return the message of `templates/emails/<template>/` to one address."""
    address = usable_address(to)
    folder = f"emails/{template}"
    context = {"club_name": settings.CLUB_NAME, **context}
    content: dict[str, str] = {
        "html": render_to_string(f"{folder}/body.html", context),
        "text": render_to_string(f"{folder}/body.txt", context),
    }
    subject = render_to_string(f"{folder}/subject.txt", context)
    return envelope(address, subject=subject, content=content, tag=tag)


def envelope(to: str, *, subject: str, content: dict[str, str], tag: str) -> dict[str, Any]:
    """Return a message as Resend takes it, with the settings that every e-mail follows.

    `tag` travels in Resend's tags, so that a delivery event finds its row. With
    DIVERT_EMAIL_TO the message goes there, and a header keeps who it was for.
    """
    address = usable_address(to)
    message: dict[str, Any] = {
        "from": settings.RESEND_FROM,
        "to": [settings.DIVERT_EMAIL_TO or address],
        # A line break in a subject would be a header of its own.
        "subject": " ".join(subject.split()),
        **content,
        "tags": [{"name": "row", "value": tag}],
    }
    if settings.REPLY_TO:
        message["reply_to"] = settings.REPLY_TO
    if settings.DIVERT_EMAIL_TO:
        message["headers"] = {"X-Original-To": address}
    return message


def usable_address(address: str | None) -> str:
    """Return the address without white space around it; raise Unsendable where it is none."""
    cleaned = (address or "").strip()
    if not cleaned:
        raise Unsendable("It has no e-mail address. Add one, then retry.")
    if not _is_an_address(cleaned):
        raise Unsendable(f"{cleaned!r} is no e-mail address. Correct it, then retry.")
    return cleaned


@lru_cache(maxsize=1024)  # of one booking it is asked when it is judged, told and queued
def _is_an_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


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
