"""How a machine proves itself: a secret in one of the places where its callers carry it."""

import hmac

from django.conf import settings
from django.http import HttpRequest

from egac.providers import NotConfigured


def is_cron(request: HttpRequest) -> bool:
    """Return whether the request carries CRON_SECRET, or the one it replaces.

    Raises NotConfigured while no secret is set: an unset one closes the door, it never opens it.
    """
    secrets = [secret for secret in (settings.CRON_SECRET, settings.CRON_SECRET_PREVIOUS) if secret]
    if not settings.CRON_SECRET:
        raise NotConfigured("CRON_SECRET is not set on this site, so this address is closed.")
    return matches(_carried(request), secrets)


def _carried(request: HttpRequest) -> list[str]:
    """Return every value that the request offers as a secret."""
    carried = [bearer(request), request.headers.get("x-cron-secret", "")]
    if settings.ALLOW_QUERY_SECRET:
        carried += request.GET.getlist("secret")
    return carried


def bearer(request: HttpRequest) -> str:
    """Return the token of `Authorization: Bearer`, or ""."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def matches(carried: list[str], secrets: list[str]) -> bool:
    """Return whether one of the carried values is one of the secrets, in constant time a pair."""
    pairs = [(value, secret) for value in carried if value for secret in secrets]
    same = [hmac.compare_digest(value.encode(), secret.encode()) for value, secret in pairs]
    return any(same)
