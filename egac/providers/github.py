"""GitHub issues, one for each cause of trouble, found again by a fingerprint in the body.

GitHub's creation of an issue is not idempotent, and two programs write here: this site, and the
monitor that runs in a workflow without a database. So nothing is remembered on our side: what was
said, and when, is read from the issue itself before anything is written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from egac.providers import Cause, ProviderError
from egac.providers.http import Answer, call

LABEL = "monitoring"
CALL_SECONDS = 5.0  # whoever tells of trouble has other work to do
QUIET = timedelta(days=1)  # at most one comment in so long, whatever changes
A_PAGE, MOST_PAGES = 30, 10
LONGEST_TITLE, LONGEST_BODY = 250, 60_000  # characters; GitHub takes 256 and 65,536
RATE_LIMIT_SECONDS = 60.0  # for a refusal that names no time


@dataclass(frozen=True)
class Trouble:
    """What an issue tells of: its cause, the sentence that is its title, and further lines."""

    cause: str
    sentence: str
    details: str


def missing_settings() -> list[str]:
    """Return the names of the settings without which no issue can be opened."""
    names = ("GITHUB_TOKEN", "GITHUB_REPOSITORY")
    return [name for name in names if not getattr(settings, name)]


def report_trouble(trouble: Trouble, *, now: datetime) -> None:
    """Open the issue of this cause; or comment on it, where it has news and a day was quiet.

    A cause that comes back within a day gets its closed issue again: one that comes and goes is
    one issue. Raises ProviderError. May be called any number of times, by any number of programs.
    """
    issue = find_issue(trouble.cause) or _reopened(trouble.cause, since=now - QUIET)
    if issue is None:
        _open(trouble)
    elif not (
        _was_said(trouble, issue, now) or _is_commented(issue, trouble.cause, since=now - QUIET)
    ):
        _comment(
            issue, f"{_mention()}{_plain(trouble.sentence)}\n\n{trouble.details}", trouble.cause
        )


def resolve_trouble(cause: str, *, sentence: str, now: datetime) -> None:
    """Close the issue of this cause with a comment; nothing happens where none is open.

    One that came back and goes again within a day of our last comment is closed without another.
    Closed first: a comment that failed is never written twice. Raises ProviderError.
    """
    issue = find_issue(cause)
    if issue is None:
        return
    _close(issue["number"])
    came_back = issue.get("state_reason") == "reopened"
    if not (came_back and _is_commented(issue, cause, since=now - QUIET)):
        _comment(issue, sentence, cause)


def find_issue(cause: str) -> dict[str, Any] | None:
    """Return the oldest open issue that carries the fingerprint of this cause, or None."""
    return min(_issues_of(cause, state="open"), key=_number, default=None)


def _reopened(cause: str, *, since: datetime) -> dict[str, Any] | None:
    """Open the issue of this cause that was closed last, if since then; return it, or None."""
    closed = _issues_of(cause, state="closed", since=since.isoformat())
    recent = [issue for issue in closed if _instant(issue["closed_at"]) > since]
    issue = max(recent, key=_number, default=None)
    if issue:
        reopening = {"state": "open", "state_reason": "reopened"}
        _ask("PATCH", f"/issues/{issue['number']}", reopening)
    return issue


def _number(issue: Mapping[str, Any]) -> int:
    return int(issue["number"])


def fingerprint(cause: str) -> str:
    """Return the mark of a cause, which GitHub does not show."""
    return f"<!-- egac-alert: {cause} -->"


def _issues_of(cause: str, **wanted: str) -> Iterator[dict[str, Any]]:
    """Yield the wanted issues of a cause; GitHub counts pull requests among them."""
    mark = fingerprint(cause)
    for page in range(1, MOST_PAGES + 1):
        query = {"labels": LABEL, "per_page": A_PAGE, "page": page, **wanted}
        issues = _ask("GET", f"/issues?{urlencode(query)}")
        for issue in issues:
            if "pull_request" not in issue and mark in (issue.get("body") or ""):
                yield issue
        if len(issues) < A_PAGE:
            return


def _open(trouble: Trouble) -> None:
    issue = _ask(
        "POST",
        "/issues",
        {
            "title": _plain(trouble.sentence)[:LONGEST_TITLE],
            "body": _body(
                f"{_mention()}{_plain(trouble.sentence)}\n\n{trouble.details}", trouble.cause
            ),
            "labels": [LABEL],
        },
    )
    if LABEL not in (label.get("name") for label in issue.get("labels", [])):
        # Without its label it would not be found again, and the next look would open another.
        _close(issue["number"])
        raise ProviderError(
            f"GitHub dropped the label {LABEL!r} of a new issue: give GITHUB_TOKEN the permission "
            "to write issues. The issue was closed again.",
            permanent=True,
            cause=Cause.CREDENTIALS,
            code="label_dropped",
        )


def _was_said(trouble: Trouble, issue: Mapping[str, Any], now: datetime) -> bool:
    """Whether the issue is young and says this very sentence already."""
    is_young = now - _instant(issue["created_at"]) < QUIET
    return is_young and _plain(trouble.sentence) in issue["body"]


def _is_commented(issue: Mapping[str, Any], cause: str, *, since: datetime) -> bool:
    """Whether we, not a person, wrote a comment since then."""
    query = {"since": since.isoformat(), "per_page": A_PAGE}
    comments = _ask("GET", f"/issues/{issue['number']}/comments?{urlencode(query)}")
    ours = (each for each in comments if fingerprint(cause) in (each.get("body") or ""))
    return any(_instant(each["created_at"]) > since for each in ours)


def _comment(issue: Mapping[str, Any], text: str, cause: str) -> None:
    _ask("POST", f"/issues/{issue['number']}/comments", {"body": _body(text, cause)})


def _close(number: int) -> None:
    _ask("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})


def _body(text: str, cause: str) -> str:
    return f"{text[:LONGEST_BODY]}\n\n{fingerprint(cause)}"


def _mention() -> str:
    return f"{settings.MONITORING_MENTION}\n\n" if settings.MONITORING_MENTION else ""


def _plain(sentence: str) -> str:
    """Return a sentence in which nobody is mentioned and no mark can be forged."""
    return " ".join(sentence.replace("@", "@\N{ZERO WIDTH SPACE}").replace("<!--", "").split())


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _ask(method: str, path: str, payload: Mapping[str, Any] | None = None) -> Any:
    """Return the decoded answer of GitHub; raise ProviderError for any that is no success."""
    answer = call(
        method,
        f"{settings.GITHUB_API_URL}/repos/{settings.GITHUB_REPOSITORY}{path}",
        headers={
            "Authorization": f"Bearer {settings.GITHUB_TOKEN}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Content-Type": "application/json",
            "User-Agent": "egac-ops/1.0.0",
        },
        body=None if payload is None else json.dumps(payload).encode(),
        seconds=CALL_SECONDS,
    )
    told = answer.json()
    if not 200 <= answer.status < 300 or not isinstance(told, dict | list):
        raise _error_of(answer)
    return told


def _error_of(answer: Answer) -> ProviderError:
    """Return what a refusal means. A rate limit comes as 403 or 429, told apart by its headers."""
    if answer.status in (403, 429) and (wait := _seconds_to_wait(answer)) is not None:
        return ProviderError(
            f"GitHub asked us to slow down: {answer.start}",
            retry_after=wait,
            cause=Cause.RATE_LIMIT,
            code="rate_limit",
        )
    what, cause = _meaning(answer.status)
    return ProviderError(
        f"GitHub answered {answer.status}: {what}{answer.start}",
        permanent=cause is Cause.CREDENTIALS,
        cause=cause,
        code=f"http_{answer.status}",
    )


def _seconds_to_wait(answer: Answer) -> float | None:
    """Return how long a rate limit lasts, or None for a refusal that is none."""
    if answer.retry_after is not None:
        return answer.retry_after
    if answer.status != 429 and answer.headers.get("x-ratelimit-remaining") != "0":
        return None
    try:
        here = parsedate_to_datetime(answer.headers["date"]).timestamp()
        return max(0.0, float(answer.headers["x-ratelimit-reset"]) - here)
    except (KeyError, ValueError, TypeError):
        return RATE_LIMIT_SECONDS


def _meaning(status: int) -> tuple[str, Cause]:
    if status == 410:
        off = f"issues are turned off in {settings.GITHUB_REPOSITORY}; turn them on. "
        return off, Cause.CREDENTIALS
    if status in (301, 307, 404):
        return "correct GITHUB_REPOSITORY, or let GITHUB_TOKEN see it. ", Cause.CREDENTIALS
    if status in (401, 403):
        return "GITHUB_TOKEN needs the permission to write issues. ", Cause.CREDENTIALS
    return "", Cause.UNAVAILABLE if status >= 500 else Cause.MESSAGE
