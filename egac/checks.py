"""System checks of the settings: what is missing, and what to type."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from egac.adoption import Refused, refuse_unknown_words
from egac.mail import is_usable
from egac.outbox import Outgoing
from egac.providers import github, resend, whatsapp, zoom

# What cannot be done without it, the provider, and how many settings it needs.
PROVIDERS = (
    ("e-mail can be sent", resend, 2),
    ("WhatsApp message can be sent", whatsapp, 2),
    ("Zoom meeting can be made", zoom, 3),
    ("GitHub issue can be opened", github, 2),
)

SHORTEST_SECRET = 16  # characters


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
    if settings.SITE_BASE_URL or not settings.HAS_DATABASE:
        return []
    return [
        Warning(
            "SITE_BASE_URL is not set, so an invite would link to nowhere.",
            hint="Write SITE_BASE_URL=https://<the club's website> into the environment or .env.",
            id="egac.W002",
        )
    ]


@register(Tags.compatibility)
def check_staff(**kwargs: Any) -> list[CheckMessage]:
    """Warn of an address of staff that no alert would reach."""
    return [
        Warning(
            f"STAFF_ALERT_EMAILS holds {address!r}, which is no e-mail address.",
            hint="Write STAFF_ALERT_EMAILS=<addresses, a comma between them>.",
            id="egac.W005",
        )
        for address in settings.STAFF_ALERT_EMAILS
        if not is_usable(address)
    ]


@register(Tags.security, deploy=True)
def check_secrets(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a door that nobody can open, and of a secret that is easily guessed."""
    told = [] if settings.CRON_SECRET else ["CRON_SECRET is not set"]
    told += [f"{name} is shorter than {SHORTEST_SECRET} characters" for name in _short_secrets()]
    return [
        Warning(
            f"{what}.",
            hint=f"Write {what.split()[0]}=<32 random characters> into the environment or .env.",
            id="egac.W003",
        )
        for what in told
    ]


def _short_secrets() -> list[str]:
    names = ("CRON_SECRET", "SERVICE_ROLE_KEY", "SCHEDULER_SECRET_TOKEN", "METRICS_TOKEN")
    return [name for name in names if 0 < len(getattr(settings, name)) < SHORTEST_SECRET]


@register(Tags.compatibility, deploy=True)
def check_replies(**kwargs: Any) -> list[CheckMessage]:
    """Warn where an e-mail says "reply to this e-mail" and nobody reads the answers."""
    if settings.REPLY_TO or resend.missing_settings():
        return []
    return [
        Warning(
            f"REPLY_TO is not set, so a customer's reply goes to {settings.RESEND_FROM}.",
            hint="Write REPLY_TO=<a mailbox that somebody reads> into the environment or .env.",
            id="egac.W004",
        )
    ]


@register(Tags.database)
def check_idle_transactions(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn where a machine that loses its power may hold the locks of its rows for hours."""
    if settings.DEBUG:
        return []
    return [
        Warning(
            "The database lets a transaction stand idle for ever, so a machine that dies in one "
            "keeps its rows locked until the server notices.",
            hint=f"Type in psql: ALTER DATABASE {connections[alias].settings_dict['NAME']} "
            "SET idle_in_transaction_session_timeout = '1min';",
            id="egac.W006",
        )
        for alias in databases or ()
        if _setting(alias, "idle_in_transaction_session_timeout") == "0"
    ]


def _setting(alias: str, name: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


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
