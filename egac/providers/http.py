"""The one door to the network: time-outs, an overall deadline, kept-alive connections."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from egac.providers import Cause, ProviderError

CONNECT_SECONDS = 3.05
LARGEST_ANSWER = 1_000_000  # bytes
NEVER_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError)

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
        """Seconds to wait, where the provider named them."""
        try:
            return max(0.0, float(self.headers["retry-after"]))
        except (KeyError, ValueError):
            return None


def call(method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    """Make one request and return its answer, whatever its status.

    Raises ProviderError: `UNAVAILABLE` when nothing was sent, `UNKNOWN` when the provider may have
    taken the request. A redirect is not followed: a provider's address does not move by itself.
    """
    host = urlsplit(url).netloc
    deadline = time.monotonic() + settings.PROVIDER_TIMEOUT_SECONDS
    try:
        with _session().request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(CONNECT_SECONDS, settings.PROVIDER_TIMEOUT_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=_read(response, host=host, deadline=deadline),
            )
    except requests.RequestException as error:
        raise _network_error(error, host) from error


def _session() -> requests.Session:
    """Return this thread's session: requests does not promise that one may be shared."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    return _local.session


def _read(response: requests.Response, *, host: str, deadline: float) -> bytes:
    """Read the body within the deadline: a read time-out alone never ends a dripping answer."""
    body = b""
    for chunk in response.iter_content(chunk_size=None):
        body += chunk
        if time.monotonic() > deadline or len(body) > LARGEST_ANSWER:
            raise ProviderError(
                f"{host} did not finish its answer in time.", cause=Cause.UNKNOWN, code="timeout"
            )
    return body


def _network_error(error: requests.RequestException, host: str) -> ProviderError:
    if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectTimeout):
        return ProviderError(f"{host} did not answer in time.", cause=Cause.UNKNOWN, code="timeout")
    if any(isinstance(cause, NEVER_SENT) for cause in _causes(error)):
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
