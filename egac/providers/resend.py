"""Resend sends our e-mail. Its quirks are noted with where they were seen (SDK 2.52.0)."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import resend
from django.conf import settings
from resend.exceptions import NoContentError, ResendError
from resend.http_client import HTTPClient

from egac.providers import Cause, NotConfigured, ProviderError, Sender
from egac.providers.http import Answer, call

KEY_PROTECTS = timedelta(hours=24)  # how long Resend remembers an Idempotency-Key

# https://resend.com/docs/api-reference/errors: decide on the name, then on the status.
CREDENTIALS = {
    "missing_api_key",
    "restricted_api_key",
    "invalid_api_key",
    "suspended_api_key",
    "invalid_permission",
}
QUOTAS = {
    "daily_quota_exceeded": Cause.DAILY_QUOTA,
    "monthly_quota_exceeded": Cause.MONTHLY_QUOTA,
}
CONFLICTS_OF_REPEATS = {"concurrent_idempotent_requests", "resource_locked"}


class Door(HTTPClient):
    """Take the SDK's requests through our one door, and refuse a success that is no JSON.

    The SDK turns every error of its HTTP client into a plain ResendError, and half an answer
    with status 200 into a server error although the mail may be out; so both are decided here.
    """

    def request(  # noqa: PLR0913  the SDK's own signature
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: Any = None,
        files: Any = None,
        data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer = call(
            method,
            url,
            headers={**headers, "Content-Type": "application/json"},
            body=None if json is None else _bytes(json),
        )
        if answer.status < 300 and not isinstance(answer.json(), dict):
            raise ProviderError(
                f"Resend answered {answer.status} with something that is no JSON: {answer.start}",
                cause=Cause.UNKNOWN,
                code="half_an_answer",
            )
        if not isinstance(answer.json(), dict):
            raise _error_of(answer, name="", message=answer.start)
        return answer.body, answer.status, {**answer.headers, "content-type": "application/json"}


def _bytes(params: Any) -> bytes:
    """Return the same bytes for the same message, so that a repeat under one key is a repeat."""
    return json.dumps(params, ensure_ascii=False, separators=(",", ":")).encode()


def missing_settings() -> list[str]:
    """Return the names of the settings without which nothing can be sent."""
    names = ("RESEND_API_KEY", "RESEND_FROM")
    return [name for name in names if not getattr(settings, name)]


def require_configured() -> None:
    """Raise NotConfigured with what to write, where a setting is missing."""
    if missing := missing_settings():
        raise NotConfigured(
            f"E-mail is not configured: set {' and '.join(missing)} in the environment or .env, "
            "or RESEND_DRY_RUN=1 to try without sending."
        )


def send(message: Mapping[str, Any], key: str) -> str:
    """Send one e-mail under its idempotency key and return Resend's id; raise ProviderError."""
    # The SDK reads its settings once at import; a changed one must be told to it.
    resend.api_key = settings.RESEND_API_KEY
    resend.api_url = settings.RESEND_API_URL
    resend.default_http_client = Door()
    try:
        answer: Any = resend.Emails.send(dict(message), {"idempotency_key": key})  # type: ignore[arg-type]
    except ResendError as error:
        raise _translated(error) from error
    except NoContentError as error:
        raise ProviderError(
            "Resend answered with nothing.", cause=Cause.UNKNOWN, code="half_an_answer"
        ) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise ProviderError(
            "Resend accepted the call and named no e-mail.",
            cause=Cause.UNKNOWN,
            code="half_an_answer",
        )
    return answer["id"]


def _translated(error: ResendError) -> ProviderError:
    """Return our error for the SDK's; one of our own door comes back as it was."""
    if isinstance(error.__context__, ProviderError):
        return error.__context__
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    answer = Answer(status=int(error.code), headers=headers, body=b"")
    return _error_of(answer, name=str(error.error_type), message=str(error.message))


def _error_of(answer: Answer, *, name: str, message: str) -> ProviderError:
    """Return what an answer of 300 or more means: which cause, final or not, and since when."""
    cause, permanent = _meaning(answer.status, name)
    return ProviderError(
        f"Resend answered {answer.status}{f' {name}' if name else ''}: {message}",
        permanent=permanent,
        retry_after=answer.retry_after,
        cause=cause,
        code=name or f"http_{answer.status}",
    )


def _meaning(status: int, name: str) -> tuple[Cause, bool]:
    if name in QUOTAS:
        return QUOTAS[name], False
    if status == 429:
        return Cause.RATE_LIMIT, False
    # 403 validation_error is an unverified sender domain: no message would be taken.
    if name in CREDENTIALS or status in (401, 403):
        return Cause.CREDENTIALS, False
    if name in CONFLICTS_OF_REPEATS:
        return Cause.UNKNOWN, False
    if 400 <= status < 500:
        return Cause.MESSAGE, True
    return Cause.UNAVAILABLE, False


EMAIL = Sender(channel="email", provider="resend", send=send, key_protects=KEY_PROTECTS)
