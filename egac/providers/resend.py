"""Resend sends our e-mail. Its quirks are noted with where they were seen (SDK 2.52.0)."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import resend
from django.conf import settings
from resend.exceptions import NoContentError, ResendError
from resend.http_client import HTTPClient

from egac.providers import Cause, NotConfigured, ProviderError, Sender
from egac.providers.http import Answer, call

LARGEST_BATCH = 100  # e-mails in one call
# Resend remembers an Idempotency-Key for 24 hours; a call begins a while after its row was claimed.
KEY_PROTECTS = timedelta(hours=24) - timedelta(minutes=1)

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
KEY_IS_TAKEN = "invalid_idempotent_request"

_heard = threading.local()  # what the answer to this thread's last call said of the rate


class Door(HTTPClient):
    """Take the SDK's requests through our one door, and decide here what an error means.

    The SDK turns every error of its HTTP client into a plain ResendError, half an answer with
    status 200 into a server error although the mail may be out, and a redirect into a success.
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
        _heard.rate = rate_in(answer)
        if answer.status >= 300:
            raise _error_of(answer)
        if not isinstance(answer.json(), dict):
            raise ProviderError(
                f"Resend answered {answer.status} with something that is no JSON: {answer.start}",
                cause=Cause.UNKNOWN,
                code="half_an_answer",
            )
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
    answer = _told(lambda: resend.Emails.send(dict(message), {"idempotency_key": key}))  # type: ignore[arg-type]
    if not isinstance(answer.get("id"), str):
        raise _half_an_answer("Resend accepted the call and named no e-mail.")
    return str(answer["id"])


def send_batch(messages: Sequence[Mapping[str, Any]], key: str) -> list[str | ProviderError]:
    """Send up to LARGEST_BATCH e-mails in one call, under one key for all of them.

    Returns, in their order, each message's id or why this one was refused; raises ProviderError
    where the whole call was not accepted.
    """
    options: Any = {"idempotency_key": key, "batch_validation": "permissive"}
    answer = _told(lambda: resend.Batch.send(list(messages), options))  # type: ignore[arg-type]
    refused = {each.get("index"): each for each in answer.get("errors") or []}
    ids = [each.get("id") for each in answer.get("data") or []]
    if len(ids) + len(refused) != len(messages):
        raise _half_an_answer("Resend answered for more or fewer e-mails than were sent.")
    accepted = iter(ids)
    return [
        _refused_in_batch(refused[index]) if index in refused else str(next(accepted))
        for index in range(len(messages))
    ]


def _refused_in_batch(told: Mapping[str, Any]) -> ProviderError:
    message = f"Resend refused this e-mail of the batch: {told.get('message')}"
    return ProviderError(message, permanent=True, cause=Cause.MESSAGE, code="validation_error")


def _told(ask: Callable[[], Any]) -> dict[str, Any]:
    """Return the SDK's answer as a dict; raise ProviderError for whatever else comes."""
    # The SDK reads its settings once at import; a changed one must be told to it.
    resend.api_key = settings.RESEND_API_KEY
    resend.api_url = settings.RESEND_API_URL
    resend.default_http_client = Door()
    _heard.rate = None
    try:
        answer = ask()
    except ResendError as error:
        raise _translated(error) from error
    except NoContentError as error:
        raise _half_an_answer("Resend answered with nothing.") from error
    if not isinstance(answer, dict):
        raise _half_an_answer("Resend answered with no object.")
    return answer


def told_rate() -> float | None:
    """Return how many calls a second Resend takes, by the answer to this thread's last call."""
    return getattr(_heard, "rate", None)


def rate_in(answer: Answer) -> float | None:
    """Return the calls a second that an answer allows, or None where it names no usable limit.

    A limit that is counted over more than a second is none that calls can be paced by.
    """
    try:
        rate = float(answer.headers["ratelimit-limit"])
        window = float(answer.headers.get("ratelimit-reset", 1))
    except (KeyError, ValueError):
        return None
    return rate if 0 < rate < float("inf") and window <= 1 else None


def _half_an_answer(message: str) -> ProviderError:
    return ProviderError(message, cause=Cause.UNKNOWN, code="half_an_answer")


def _translated(error: ResendError) -> ProviderError:
    """Return the door's error that the SDK hid; what the SDK itself refused may be out."""
    if isinstance(error.__context__, ProviderError):
        return error.__context__
    return ProviderError(
        f"Resend's client failed: {error}", cause=Cause.UNKNOWN, code="half_an_answer"
    )


def _error_of(answer: Answer) -> ProviderError:
    """Return what an answer of 300 or more means: which cause, final or not, and since when."""
    told = answer.json() if isinstance(answer.json(), dict) else {}
    name = str(told.get("name") or "")
    cause, permanent = _meaning(answer.status, name)
    return ProviderError(
        f"Resend answered {answer.status}{f' {name}' if name else ''}: "
        f"{told.get('message') or answer.start}",
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
    if name == KEY_IS_TAKEN:
        return Cause.KEY_IS_TAKEN, True
    # What Resend did not name comes from a proxy before it, and says nothing of the message.
    if name and 400 <= status < 500:
        return Cause.MESSAGE, True
    return Cause.UNAVAILABLE, False


EMAIL = Sender("email", "resend", send, KEY_PROTECTS, told_rate)
BATCH = Sender("email", "resend", send_batch, KEY_PROTECTS, told_rate)
