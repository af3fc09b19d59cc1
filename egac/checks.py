"""System checks of the settings: what is missing, and what to type."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from egac.providers.resend import missing_settings


@register(Tags.compatibility)
def check_email(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a provider that is configured by half."""
    missing = missing_settings()
    if len(missing) != 1:
        return []
    return [
        Warning(
            f"{missing[0]} is missing, so no e-mail can be sent.",
            hint=f"Write {missing[0]}=… into the environment or .env.",
            id="egac.W001",
        )
    ]


@register(Tags.compatibility)
def check_links(**kwargs: Any) -> list[CheckMessage]:
    """Warn where invites would link to nowhere."""
    if settings.SITE_BASE_URL:
        return []
    return [
        Warning(
            "SITE_BASE_URL is not set, so an invite would link to nowhere.",
            hint="Write SITE_BASE_URL=https://<the club's website> into the environment or .env.",
            id="egac.W002",
        )
    ]


@register(Tags.security, deploy=True)
def check_secrets(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a door that nobody can open, and of a secret that is easily guessed."""
    if len(settings.CRON_SECRET) >= 16:
        return []
    what = "is shorter than 16 characters" if settings.CRON_SECRET else "is not set"
    return [
        Warning(
            f"CRON_SECRET {what}.",
            hint="Write CRON_SECRET=<32 random characters> into the environment or .env.",
            id="egac.W003",
        )
    ]
