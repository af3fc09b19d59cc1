"""How a machine proves itself: a secret in one of the places where its callers carry it."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest

from egac.providers import NotConfigured

ISSUED = "issued token: "  # the name of a short-lived token begins so, and ends with its job


@dataclass(frozen=True)
class Secret:
    """A secret that is set; a previous one is good for as long as a rotation goes on."""

    name: str
    value: str = field(repr=False)
    is_previous: bool = False


def configured(name: str) -> list[Secret]:
    """Return the secret of a setting and the one that it replaces; none while it is not set.

    A previous secret opens nothing by itself: an unset one closes the door.
    """
    if not (value := getattr(settings, name)):
        return []
    return [
        Secret(name, value),
        *_previous(f"{name}_PREVIOUS", [getattr(settings, f"{name}_PREVIOUS")]),
    ]


def job_tokens() -> dict[str, list[Secret]]:
    """Return the tokens of JOB_TOKENS by the name of the job or function that each is for."""
    return {
        job: [Secret(f"JOB_TOKENS: {job}", first), *_previous(f"JOB_TOKENS: {job} (second)", rest)]
        for job, (first, *rest) in settings.JOB_TOKENS.items()
    }


def _previous(name: str, values: Sequence[str]) -> list[Secret]:
    return [Secret(name, value, is_previous=True) for value in values if value]


def cron_secret_of(request: HttpRequest) -> Secret | None:
    """Return which CRON_SECRET a request to the older two addresses carries, or None.

    Raises NotConfigured while no secret is set: an unset one closes the door, it never opens it.
    """
    if not (secrets := configured("CRON_SECRET")):
        raise NotConfigured("CRON_SECRET is not set on this site, so this address is closed.")
    carried = [bearer(request), request.headers.get("x-cron-secret", "")]
    if settings.ALLOW_QUERY_SECRET:
        carried += request.GET.getlist("secret")
    return which(carried, secrets)


def bearer(request: HttpRequest) -> str:
    """Return the token of `Authorization: Bearer`, or ""."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def which(carried: Sequence[str], secrets: Sequence[Secret]) -> Secret | None:
    """Return the secret that one of the carried values is, or None."""
    found = [secret for secret in secrets if matches(carried, [secret.value])]
    return found[0] if found else None


def matches(carried: Sequence[str], secrets: Sequence[str]) -> bool:
    """Return whether one of the carried values is one of the secrets, in constant time a pair."""
    pairs = [(value, secret) for value in carried if value for secret in secrets]
    same = [hmac.compare_digest(value.encode(), secret.encode()) for value, secret in pairs]
    return any(same)
