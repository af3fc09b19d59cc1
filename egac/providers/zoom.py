"""Zoom holds our online classes, by server-to-server OAuth.

Zoom knows no idempotency key: after a create whose outcome is unknown, look the meeting up by its
marker before creating another. Facts: https://developers.zoom.us/docs/api/.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from egac.providers import Cause, NotConfigured, ProviderError
from egac.providers.http import Answer, call

CHANNEL = "zoom"
ME = "me"  # the account's own user, where an instructor has none
SCHEDULED_MEETING = 2
LONGEST_TOPIC = 200
RENEW_BEFORE = 60.0  # seconds; Zoom's own client does the same
PAGE, MOST_PAGES = 300, 20
TOKEN_REFUSED = 124
NO_SUCH_USER, NO_SUCH_MEETING = "1001", "3001"
SCOPE_MISSING = {4700, 4711}


@dataclass(frozen=True)
class Wanted:
    """A meeting to be made. `marker` is its place in our books: it stands first in the agenda,
    for a list of meetings shows no more than an agenda's first 250 characters."""

    topic: str
    starts_at: datetime
    minutes: int
    marker: str


@dataclass(frozen=True)
class Meeting:
    """A meeting as Zoom made it. The host link is a secret, and it expires."""

    id: int
    join_link: str
    host_link: str
    start_time: str  # as Zoom writes it
    minutes: int

    def is_as(self, wanted: Wanted) -> bool:
        """Return whether it is held when it is wanted."""
        return (self.start_time, self.minutes) == (_in_utc(wanted.starts_at), wanted.minutes)


def missing_settings() -> list[str]:
    """Return the names of the settings without which no meeting can be made."""
    names = ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
    return [name for name in names if not getattr(settings, name)]


def require_configured() -> None:
    """Raise NotConfigured with what to write, where a setting is missing."""
    if missing := missing_settings():
        raise NotConfigured(
            f"Zoom is not configured: set {' and '.join(missing)} in the environment or .env, "
            "or ZOOM_DRY_RUN=1 to try without making a meeting."
        )


def create_meeting(host: str, wanted: Wanted) -> Meeting:
    """Make a meeting of this host and return it; raise ProviderError."""
    body = {
        "topic": wanted.topic[:LONGEST_TOPIC],
        "type": SCHEDULED_MEETING,
        "start_time": _in_utc(wanted.starts_at),
        "duration": wanted.minutes,
        "timezone": "UTC",
        "agenda": wanted.marker,
        "settings": {"waiting_room": True, "join_before_host": False},
    }
    return _meeting(_asked("POST", f"/users/{quote(host, safe='')}/meetings", body))


def find_meeting(host: str, marker: str) -> Meeting | None:
    """Return this host's coming meeting whose agenda begins with the marker, or None.

    A host whom Zoom does not know any more has none.
    """
    try:
        marked = (told for told in _coming(host) if _marker_of(told) == marker)
        listed = next(marked, None)
    except ProviderError as error:
        if error.code == NO_SUCH_USER:
            return None
        raise
    # The list leaves the host link out.
    return _meeting(_asked("GET", f"/meetings/{listed.get('id')}")) if listed else None


def delete_meeting(meeting_id: int) -> None:
    """Take a meeting back; one that is gone already is no error."""
    try:
        _asked("DELETE", f"/meetings/{meeting_id}")
    except ProviderError as error:
        if error.code != NO_SUCH_MEETING:
            raise


def _coming(host: str) -> Iterator[dict[str, Any]]:
    query = {"type": "upcoming", "page_size": str(PAGE)}
    for _ in range(MOST_PAGES):
        answer = _asked("GET", f"/users/{quote(host, safe='')}/meetings?{urlencode(query)}")
        told = answer.json()
        if not isinstance(told, dict) or not isinstance(told.get("meetings"), list):
            raise _unknown(answer)
        yield from (each for each in told["meetings"] if isinstance(each, dict))
        query["next_page_token"] = str(told.get("next_page_token") or "")
        if not query["next_page_token"]:
            return


def _marker_of(told: dict[str, Any]) -> str:
    return str(told.get("agenda") or "").partition(" ")[0]


def _meeting(answer: Answer) -> Meeting:
    told = answer.json()
    try:
        return Meeting(
            int(told["id"]),
            str(told["join_url"]),
            str(told["start_url"]),
            str(told.get("start_time")),
            int(told.get("duration") or 0),
        )
    except (KeyError, TypeError, ValueError):
        raise _unknown(answer) from None


def _in_utc(instant: datetime) -> str:
    # With its Z it is UTC, whatever the host's own time zone.
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _unknown(answer: Answer) -> ProviderError:
    # Not the answer's own words: half of it may be a host link.
    return ProviderError(
        f"Zoom answered {answer.status} and nothing that we understand.",
        cause=Cause.UNKNOWN,
        code="half_an_answer",
    )


def _asked(method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
    """Return the answer of 200 to 299; a token that Zoom no longer takes is renewed once."""
    answer = _request(method, path, body, TOKENS.current())
    if answer.status == 401:
        answer = _request(method, path, body, TOKENS.renewed())
    if answer.status >= 300:
        raise _error_of(answer)
    return answer


def _request(method: str, path: str, body: dict[str, Any] | None, token: str) -> Answer:
    return call(
        method,
        f"{settings.ZOOM_API_URL}{path}",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=None if body is None else json.dumps(body).encode(),
    )


def _error_of(answer: Answer) -> ProviderError:
    told = answer.json() if isinstance(answer.json(), dict) else {}
    code = told.get("code")
    cause, permanent = _meaning(answer, code)
    name = f" with code {code}" if code is not None else ""
    return ProviderError(
        f"Zoom answered {answer.status}{name}: {told.get('message') or answer.start}",
        permanent=permanent,
        retry_after=answer.retry_after,
        cause=cause,
        code=f"http_{answer.status}" if code is None else str(code),
    )


def _meaning(answer: Answer, code: Any) -> tuple[Cause, bool]:
    if answer.status == 429:
        return _which_limit(answer), False
    if answer.status in (401, 403) or code in (TOKEN_REFUSED, *SCOPE_MISSING):
        return Cause.CREDENTIALS, False
    # What Zoom did not number comes from a proxy before it, and says nothing of the meeting.
    if code is not None and 400 <= answer.status < 500:
        return Cause.MESSAGE, True
    return Cause.UNAVAILABLE, False


def _which_limit(answer: Answer) -> Cause:
    """Tell the limit of a second from that of a host's day, which Zoom tells in two ways."""
    if answer.headers.get("x-ratelimit-type", "").upper() == "QPS":
        return Cause.RATE_LIMIT
    is_of_the_day = "t" in answer.headers.get("retry-after", "").lower() or "daily" in (
        answer.start.lower()
    )
    return Cause.RECIPIENT_LIMIT if is_of_the_day else Cause.RATE_LIMIT


class Tokens:
    """The access token of this process: kept while it is good, asked for anew before it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token, self._good_until, self._of = "", 0.0, ""

    def current(self) -> str:
        """Return a token that is good for some time; raise ProviderError."""
        with self._lock:
            if self._of != settings.ZOOM_CLIENT_ID or time.monotonic() >= self._good_until:
                self._renew()
            return self._token

    def renewed(self) -> str:
        """Return a new token, whatever the kept one promised; raise ProviderError."""
        with self._lock:
            self._renew()
            return self._token

    def _renew(self) -> None:
        asked_at = time.monotonic()
        told = _token_answer().json()
        try:
            token, seconds = str(told["access_token"]), float(told["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise ProviderError("Zoom gave no access token.", code="half_an_answer") from None
        self._token, self._of = token, settings.ZOOM_CLIENT_ID
        self._good_until = asked_at + seconds - RENEW_BEFORE


def _token_answer() -> Answer:
    pair = f"{settings.ZOOM_CLIENT_ID}:{settings.ZOOM_CLIENT_SECRET}"
    form = {"grant_type": "account_credentials", "account_id": settings.ZOOM_ACCOUNT_ID}
    answer = call(
        "POST",
        settings.ZOOM_OAUTH_URL,
        headers={
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
    )
    if answer.status < 300:
        return answer
    told = answer.json() if isinstance(answer.json(), dict) else {}
    is_refused = 400 <= answer.status < 500 and answer.status != 429
    raise ProviderError(
        f"Zoom gives no access token ({answer.status}): "
        f"{told.get('reason') or told.get('error') or answer.start}",
        retry_after=answer.retry_after,
        cause=Cause.CREDENTIALS if is_refused else Cause.UNAVAILABLE,
        code=str(told.get("error") or f"http_{answer.status}"),
    )


TOKENS = Tokens()
