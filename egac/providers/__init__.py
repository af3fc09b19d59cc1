"""The outside services, each behind the one door of http.py, each failing with one error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """What a failed call says about the channel, not about the one message."""

    MESSAGE = "message"  # this message was refused; the provider is well
    RATE_LIMIT = "rate_limit"
    DAILY_QUOTA = "daily_quota"
    MONTHLY_QUOTA = "monthly_quota"
    CREDENTIALS = "credentials"  # key, permission or sender domain: nothing goes until it is mended
    UNAVAILABLE = "unavailable"  # an error of the provider, or no connection: not accepted
    UNKNOWN = "unknown"  # time-out, reset, half an answer: perhaps accepted

    @property
    def closes_the_channel(self) -> bool:
        """Whether the next message would meet the same answer at once."""
        own = (Cause.MESSAGE, Cause.UNAVAILABLE, Cause.UNKNOWN)
        return self not in own


class ProviderError(Exception):
    """A call that was not accepted, or that may not have been.

    The message names host, status and the start of the answer, never a secret. `retry_after` is
    in seconds; `code` is the provider's own name of the error.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        cause: Cause = Cause.UNAVAILABLE,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.cause = cause
        self.code = code or str(cause)


class NotConfigured(Exception):
    """A provider that lacks a setting; the message says which to write."""


@dataclass(frozen=True)
class Sender:
    """A way out: which channel's slots it takes, who carries it, and how one message is sent.

    `send` takes the message and its idempotency key and returns the provider's id, or raises
    ProviderError. `key_protects` is how long a repeat under the same key cannot arrive twice.
    """

    channel: str
    provider: str
    send: Callable[[Mapping[str, Any], str], str]
    key_protects: timedelta
