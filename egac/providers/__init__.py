"""The outside services, each behind the one door of http.py, each failing with one error."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from egac.logs import redact

LONGEST_TEXT = 500  # characters of an error's message


class Cause(StrEnum):
    """What a failed call says about the channel, not about the one message."""

    MESSAGE = "message"  # this message was refused; the provider is well
    RECIPIENT_LIMIT = "recipient_limit"  # this recipient gets no more for a while; others do
    KEY_IS_TAKEN = "key_is_taken"  # it took other bytes under this message's key; it is well
    RATE_LIMIT = "rate_limit"
    DAILY_QUOTA = "daily_quota"
    MONTHLY_QUOTA = "monthly_quota"
    CREDENTIALS = "credentials"  # key, permission or sender domain: nothing goes until it is mended
    UNAVAILABLE = "unavailable"  # an error of the provider, or no connection: not accepted
    UNKNOWN = "unknown"  # time-out, reset, half an answer: perhaps accepted

    @property
    def closes_the_channel(self) -> bool:
        """Whether the next message would meet the same answer at once."""
        return not (self.leaves_the_channel_well or self in (Cause.UNAVAILABLE, Cause.UNKNOWN))

    @property
    def leaves_the_channel_well(self) -> bool:
        """Whether the provider judged this one message, and so is up."""
        return self in (Cause.MESSAGE, Cause.RECIPIENT_LIMIT, Cause.KEY_IS_TAKEN)


class ProviderError(Exception):
    """A call that was not accepted, or that may not have been.

    The message names host, status and the start of the answer, never a secret, although a
    provider may repeat one. `retry_after` is in seconds; `code` is the provider's own name of
    the error.
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
        super().__init__(_storable(redact(message)))
        self.permanent = permanent
        self.retry_after = retry_after
        self.cause = cause
        self.code = _storable(code) or str(cause)


def _storable(text: str) -> str:
    """Return the start of a text without what PostgreSQL refuses: NUL, and half of a character."""
    return text[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


class NotConfigured(Exception):
    """A provider that lacks a setting; the message says which to write."""


def nothing_told() -> None:
    """Of providers whose answers name no rate."""


@dataclass(frozen=True)
class Sender:
    """A way out: which channel's slots it takes, who carries it, and how one message is sent.

    `send` takes the message and its idempotency key and returns the provider's id (of a batch, one
    answer for each message), or raises ProviderError. `key_protects` is how long a repeat under
    the same key cannot arrive twice. `told_rate` returns how many calls a second the provider
    takes, where the answer to this thread's last call said so.
    """

    channel: str
    provider: str
    send: Callable[[Any, str], Any]
    key_protects: timedelta
    told_rate: Callable[[], float | None] = nothing_told
