"""The one door to the network: time-outs, an overall deadline, kept-alive connections."""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from egac.providers import Cause, ProviderError

CONNECT_SECONDS = 3.05
IDLE_SECONDS = 4.0  # common servers close a connection that was idle for 5 s, and balancers later
SHORTEST_CALL = 1.0  # seconds; with less left a call would only be cut off, its outcome unknown
LARGEST_ANSWER = 1_000_000  # bytes
LONGEST_WAIT = 31 * 86_400.0  # seconds; a provider that names more means no number of ours
NEVER_SENT = (
    NewConnectionError,
    ConnectTimeoutError,
    NameResolutionError,
    ssl.SSLCertVerificationError,
)

_local = threading.local()


@dataclass(frozen=True)
class Answer:
    """What a provider answered; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def start(self) -> str:
        """The first words of the answer, for an error message."""
        return " ".join(self.body[:200].decode("utf-8", "replace").split())

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where the provider named them or, beside its own clock, an instant."""
        try:
            seconds = _seconds(self.headers["retry-after"], self.headers.get("date", ""))
        except (KeyError, ValueError, TypeError):
            return None
        return min(max(0.0, seconds), LONGEST_WAIT)


def _seconds(retry_after: str, date: str) -> float:
    """Return both forms of RFC 9110 in seconds; raise ValueError or TypeError for neither."""
    try:
        return float(retry_after)
    except ValueError:
        return (parsedate_to_datetime(retry_after) - parsedate_to_datetime(date)).total_seconds()


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    seconds: float | None = None,
) -> Answer:
    """Make one request and return its answer, whatever its status.

    `seconds` bounds it where PROVIDER_TIMEOUT_SECONDS would be too long. Raises ProviderError:
    `UNAVAILABLE` when nothing was sent, `UNKNOWN` when the provider may have taken the request. A
    redirect is not followed: a provider's address does not move by itself.
    """
    host = urlsplit(url).netloc.rpartition("@")[2]
    seconds = _seconds_left(seconds or settings.PROVIDER_TIMEOUT_SECONDS, host)
    deadline = time.monotonic() + seconds
    try:
        with (
            _session(host) as session,
            session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=_read(response, host=host, deadline=deadline),
            )
    except (requests.RequestException, HTTPError) as error:
        raise _network_error(error, host) from error


@contextmanager
def calls_ended_within(seconds: float) -> Iterator[None]:
    """Let every call of this thread end in so many seconds from now, as somebody waits for it."""
    _local.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.until = None


def _seconds_left(wanted: float, host: str) -> float:
    """Return how long a call may take; raise ProviderError where it is too late to begin one."""
    until = getattr(_local, "until", None)
    if until is None:
        return wanted
    left = float(until) - time.monotonic()
    if left < SHORTEST_CALL:
        raise ProviderError(
            f"{host} was not asked: the time of whoever waits is over.", code="too_late"
        )
    return min(wanted, left)


@contextmanager
def _session(host: str) -> Iterator[requests.Session]:
    """Lend this thread's session with a host: requests does not promise that one may be shared.

    A connection that stood idle is not used again: the other end may have closed or forgotten it,
    and a request that is lost so has an unknown outcome.
    """
    kept = _local.__dict__.setdefault("kept", {})
    session, idle_since = kept.get(host) or (requests.Session(), time.monotonic())
    if time.monotonic() - idle_since > IDLE_SECONDS:
        session.close()  # what its pool holds; the session itself opens anew
    try:
        yield session
    finally:
        kept[host] = (session, time.monotonic())


def _read(response: requests.Response, *, host: str, deadline: float) -> bytes:
    """Read the body within the deadline: a read time-out alone never ends a dripping answer."""
    body = b""
    # Not iter_content(): it waits for whole chunks, however slowly their bytes arrive.
    while chunk := response.raw.read1(decode_content=True):
        body += chunk
        if time.monotonic() > deadline or len(body) > LARGEST_ANSWER:
            raise ProviderError(
                f"{host} did not finish its answer in time.", cause=Cause.UNKNOWN, code="timeout"
            )
    return body


def _network_error(error: Exception, host: str) -> ProviderError:
    if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
        return ProviderError(f"{host} did not answer in time.", cause=Cause.UNKNOWN, code="timeout")
    # A ValueError is requests' word for a URL or a header that it could not use.
    if any(isinstance(cause, NEVER_SENT) for cause in _causes(error)) or (
        isinstance(error, ValueError)
    ):
        return ProviderError(f"{host} could not be reached.", code="unreachable")
    return ProviderError(
        f"The connection to {host} broke before the answer was whole.",
        cause=Cause.UNKNOWN,
        code="connection_broken",
    )


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and all that it was raised from, urllib3's `reason` included."""
    found: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        cause = queue.pop()
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
            queue += cause.args
    return found
