"""The GitHub stand-in: the issues of a repository, their comments, as the REST API has them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.providers.faults import Refusal
from tests.providers.provider import Books, Provider, parsed
from tests.providers.wire import Answer, Request, json_answer

ISSUES = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+)/issues")
ISSUE = re.compile(ISSUES.pattern + r"/(?P<number>\d+)")
COMMENTS = re.compile(ISSUE.pattern + r"/comments")
BAD_TOKEN = Refusal(401, "401", "Bad credentials")
NOT_FOUND = Refusal(404, "404", "Not Found")
GONE = Refusal(410, "410", "Issues has been disabled in this repository.")
UNUSABLE = Refusal(422, "422", "Validation Failed")


def on_the_wall() -> datetime:
    return datetime.now(UTC)


@dataclass
class Comment:
    id: int
    body: str
    created_at: datetime


@dataclass
class Issue:
    number: int
    title: str
    body: str
    labels: list[str]
    created_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    is_pull_request: bool = False
    comments: list[Comment] = field(default_factory=list)


class GitHub(Provider):
    issues: list[Issue]
    bad_tokens: set[str]
    has_issues: bool  # False: the owner turned them off
    takes_labels: bool  # False: dropped without a word, as for a token that may not push
    now: datetime | None  # the clock of the stand-in; None: the wall's

    def reset(self) -> None:
        super().reset()
        self.issues, self.bad_tokens = [], set()
        self.has_issues = self.takes_labels = True
        self.now = None

    def add(self, body: str, **fields: Any) -> Issue:
        """Put an issue there that somebody else has opened."""
        issue = Issue(
            **{
                "number": len(self.issues) + 1,
                "title": "Somebody's",
                "body": body,
                "labels": ["monitoring"],
                "created_at": self._clock(),
                **fields,
            }
        )
        self.issues.append(issue)
        return issue

    def owns(self, path: str) -> bool:
        return path.startswith("/repos/")

    def sends(self, request: Request) -> bool:
        """Let faults strike every call: a look at the issues may fail as well."""
        return True

    def render(self, refusal: Refusal) -> Answer:
        body = {"message": refusal.message, "status": str(refusal.status)}
        return json_answer(refusal.status, body, headers=refusal.headers, name=refusal.name)

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token.strip() or token in self.bad_tokens:
            return self.render(BAD_TOKEN)
        if not self.has_issues:
            return self.render(GONE)
        if found := COMMENTS.fullmatch(request.path):
            return self._comments(request, self._issue(found), found["repo"])
        if found := ISSUE.fullmatch(request.path):
            return self._change(request, self._issue(found), found["repo"])
        if found := ISSUES.fullmatch(request.path):
            return self._issues(request, found["repo"])
        return self.render(NOT_FOUND)

    def _issue(self, found: re.Match[str]) -> Issue | None:
        return next((each for each in self.issues if each.number == int(found["number"])), None)

    def _issues(self, request: Request, repo: str) -> Answer:
        if request.method == "POST":
            return self._open(request, repo)
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        labels = set(filter(None, asked.get("labels", "").split(",")))
        state = asked.get("state", "open")
        found = [each for each in self.issues if labels <= set(each.labels)]
        found = [each for each in found if state in ("all", each.state)][::-1]
        found = [each for each in found if touched_at(each) >= since_of(request)]
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        shown = found[size * (page - 1) : size * page]
        return json_answer(200, [as_issue(each, repo) for each in shown])

    def _open(self, request: Request, repo: str) -> Answer:
        payload = parsed(request.body)
        if not isinstance(payload, dict) or not payload.get("title"):
            return self.render(UNUSABLE)
        labels = payload.get("labels", []) if self.takes_labels else []
        issue = self.add(payload.get("body", ""), title=payload["title"], labels=labels)
        return json_answer(201, as_issue(issue, repo))

    def _change(self, request: Request, issue: Issue | None, repo: str) -> Answer:
        payload = parsed(request.body) or {}
        if issue is None:
            return self.render(NOT_FOUND)
        if request.method == "PATCH":
            if payload.get("state", "open") not in ("open", "closed"):
                return self.render(UNUSABLE)
            issue.state = payload.get("state", issue.state)
            issue.state_reason = payload.get("state_reason")
            issue.closed_at = self._clock() if issue.state == "closed" else None
        return json_answer(200, as_issue(issue, repo))

    def _comments(self, request: Request, issue: Issue | None, repo: str) -> Answer:
        if issue is None:
            return self.render(NOT_FOUND)
        if request.method == "POST":
            payload = parsed(request.body)
            if not isinstance(payload, dict) or not payload.get("body"):
                return self.render(UNUSABLE)
            comment = Comment(len(issue.comments) + 1, payload["body"], self._clock())
            issue.comments.append(comment)
            return json_answer(201, as_comment(comment, issue, repo))
        shown = [each for each in issue.comments if each.created_at >= since_of(request)]
        return json_answer(200, [as_comment(each, issue, repo) for each in shown])

    def _clock(self) -> datetime:
        return self.now or on_the_wall()


def since_of(request: Request) -> datetime:
    since = parse_qs(request.query).get("since", ["2000-01-01T00:00:00+00:00"])[0]
    return datetime.fromisoformat(since)


def touched_at(issue: Issue) -> datetime:
    """Return when the issue last changed, as GitHub's `updated_at`."""
    comments = [comment.created_at for comment in issue.comments]
    return max([issue.created_at, *comments, *([issue.closed_at] if issue.closed_at else [])])


def as_issue(issue: Issue, repo: str) -> dict[str, Any]:
    """Return an issue with all that the contract requires of one."""
    url = f"https://api.github.com/repos/{repo}/issues/{issue.number}"
    page = f"https://github.com/{repo}/issues/{issue.number}"
    pull_request = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), url)
    return {
        "id": issue.number,
        "node_id": "I_1",
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state,
        "labels": [{"name": name} for name in issue.labels],
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(touched_at(issue)),
        "closed_at": issue.closed_at and stamp(issue.closed_at),
        "comments": len(issue.comments),
        "user": None,
        "assignee": None,
        "milestone": None,
        "locked": False,
        "url": url,
        "html_url": page,
        "repository_url": f"https://api.github.com/repos/{repo}",
        **{f"{name}_url": f"{url}/{name}" for name in ("comments", "events", "labels")},
        **({"state_reason": issue.state_reason} if issue.state_reason else {}),
        **({"pull_request": pull_request} if issue.is_pull_request else {}),
    }


def as_comment(comment: Comment, issue: Issue, repo: str) -> dict[str, Any]:
    issue_url = f"https://api.github.com/repos/{repo}/issues/{issue.number}"
    return {
        "id": comment.id,
        "node_id": "IC_1",
        "body": comment.body,
        "user": None,
        "url": f"{issue_url}/comments/{comment.id}",
        "html_url": f"https://github.com/{repo}/issues/{issue.number}#issuecomment-{comment.id}",
        "issue_url": issue_url,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.created_at),
    }


def stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
