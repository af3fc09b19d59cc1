"""The switches and the missing settings that keep a whole channel from sending, whatever is due.

Their order is the design's: SENDING before a dry run, a dry run before DIVERT_EMAIL_TO.
"""

from collections.abc import Callable

from django.conf import settings

from egac.providers import NotConfigured, resend, whatsapp

OFF = "Sending is switched off (SENDING=off): messages wait."
DIVERTED = "E-mails are diverted (DIVERT_EMAIL_TO), so WhatsApp messages wait."


def why_held(channel: str) -> str:
    """Return in a sentence why nothing of a channel goes, whatever is due, or ""."""
    if not settings.SENDING:
        return OFF
    return _why_email_is_held() if channel == "email" else _why_whatsapp_is_held()


def what_is_missing(require: Callable[[], None]) -> str:
    """Return what is missing, where a provider is not configured."""
    try:
        require()
    except NotConfigured as missing:
        return str(missing)
    return ""


def _why_email_is_held() -> str:
    if settings.RESEND_DRY_RUN:
        return "Dry run (RESEND_DRY_RUN): no e-mail is sent."
    return what_is_missing(resend.require_configured)


def _why_whatsapp_is_held() -> str:
    if settings.WHATSAPP_DRY_RUN:
        return "Dry run (WHATSAPP_DRY_RUN): no WhatsApp message is sent."
    if settings.DIVERT_EMAIL_TO:
        return DIVERTED
    return what_is_missing(whatsapp.require_configured)
