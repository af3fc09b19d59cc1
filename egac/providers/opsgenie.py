"""Opsgenie alerts, created and closed under an alias: the same alias twice is one alert there."""

import json
from typing import Any
from urllib.parse import quote

from django.conf import settings

from egac.providers import Cause, ProviderError
from egac.providers.http import Answer, call

CALL_SECONDS = 5.0
LONGEST_MESSAGE, LONGEST_DESCRIPTION = 130, 15_000  # characters, by Opsgenie's own limits
SOURCE = "egac-ops"


def create_alert(alias: str, *, message: str, description: str) -> None:
    """Open the alert of this alias, or count it up where it is open; raise ProviderError."""
    payload = {
        "alias": alias,
        "message": message[:LONGEST_MESSAGE],
        "description": description[:LONGEST_DESCRIPTION],
        "source": SOURCE,
    }
    _post("/v2/alerts", payload)


def close_alert(alias: str, *, note: str) -> None:
    """Close the alert of this alias; one that is closed already stays so. Raises ProviderError."""
    path = f"/v2/alerts/{quote(alias, safe='')}/close?identifierType=alias"
    _post(path, {"source": SOURCE, "note": note})


def _post(path: str, payload: dict[str, Any]) -> None:
    answer = call(
        "POST",
        f"{settings.OPSGENIE_API_URL}{path}",
        headers={
            "Authorization": f"GenieKey {settings.OPSGENIE_API_KEY}",
            "Content-Type": "application/json",
        },
        body=json.dumps(payload).encode(),
        seconds=CALL_SECONDS,
    )
    if not 200 <= answer.status < 300:
        raise _error_of(answer)


def _error_of(answer: Answer) -> ProviderError:
    causes = {401: Cause.CREDENTIALS, 403: Cause.CREDENTIALS, 429: Cause.RATE_LIMIT}
    otherwise = Cause.UNAVAILABLE if answer.status >= 500 else Cause.MESSAGE
    cause = causes.get(answer.status, otherwise)
    return ProviderError(
        f"Opsgenie answered {answer.status}: {answer.start}",
        permanent=cause in (Cause.CREDENTIALS, Cause.MESSAGE),
        retry_after=answer.retry_after,
        cause=cause,
        code=f"http_{answer.status}",
    )
