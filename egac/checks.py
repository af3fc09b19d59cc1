"""System checks of the settings: what is missing, and what to type."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from egac.adoption import Refused, refuse_unknown_words
from egac.outbox import Outgoing
from egac.providers import resend, whatsapp, zoom

# What cannot be done without it, the provider, and how many settings it needs.
PROVIDERS = (
    ("e-mail can be sent", resend, 2),
    ("WhatsApp message can be sent", whatsapp, 2),
    ("Zoom meeting can be made", zoom, 3),
)


@register(Tags.compatibility)
def check_providers(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a provider that is configured by half."""
    return [
        Warning(
            f"{' and '.join(missing)} {verb(missing)} missing, so no {what}.",
            hint=f"Write {missing[0]}=… into the environment or .env.",
            id="egac.W001",
        )
        for what, provider, needed in PROVIDERS
        if 0 < len(missing := provider.missing_settings()) < needed
    ]


def verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


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


@register(Tags.database)
def check_words(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Stop `migrate` before its first table where an adopted one holds an unknown status."""
    refused: list[CheckMessage] = []
    for alias in databases or ():
        for model in apps.get_models():
            if issubclass(model, Outgoing):
                try:
                    refuse_unknown_words(connections[alias], model)
                except Refused as error:
                    refused.append(Error(str(error), id="egac.E001"))
    return refused
