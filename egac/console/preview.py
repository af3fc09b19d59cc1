"""The page that asks before a send: every message as it would go, and what changed in it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from egac.console.actions import ActingAdmin, Line, Shown, StaffAction
from egac.console.confirming import MOST_SHOWN
from egac.console.differences import Piece, changes, shortened
from egac.console.instant import now_of
from egac.console.message_parts import parts_of
from egac.console.waiting import WaitingAdmin
from egac.console.would_send import WouldSend, would_send
from egac.explain import REASONS
from egac.outbox import Irrelevant, Unsendable
from egac.why_waiting import Kind, why_waiting

# Ours or another program's: an e-mail runs no script, loads nothing and follows no link.
EMAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
AS_IT_WAS = "It was tried before, and goes once more exactly as it was then"
STALE = ", although its data changed since. To send what stands now, cancel it, then retry it."


@dataclass(frozen=True)
class Change:
    """One part of a message that is not as it was."""

    name: str
    pieces: list[Piece]


@dataclass(frozen=True)
class Preview:
    """A message as it would go. `ends` is the word for a row that would end without it."""

    record_url: str
    parts: Mapping[str, str]
    frame_url: str = ""
    ends: str = ""
    changes: tuple[Change, ...] = ()
    is_html_changed: bool = False
    since: str = ""  # what it is compared with
    note: str = ""

    @property
    def is_changed(self) -> bool:
        return bool(self.changes) or self.is_html_changed


class PreviewingAdmin(WaitingAdmin, ActingAdmin):
    """Outgoing rows with actions that send them."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<str:object_id>/would-send/",
            self.admin_site.admin_view(self.would_send_page),
            name=self.url_name("would_send"),
        )
        return [page, *super().get_urls()]

    def masked(self, row: Any, message: dict[str, Any]) -> dict[str, Any]:
        """Return the message without what only its recipient may know."""
        return message

    def shown(self, action: StaffAction, rows: list[Any], start: int, *, now: datetime) -> Shown:
        if not action.sends:
            return super().shown(action, rows, start, now=now)
        wanted = would_send(rows, sender_of=self.sender_of, now=now)
        # What speaks against some is seen first, however many there are.
        ordered = sorted(zip(rows, wanted, strict=True), key=lambda pair: pair[1].ended is None)
        page = ordered[start : start + MOST_SHOWN]
        lines = self.lines_of(action, [row for row, _ in page])
        return Shown(
            [self._previewed(line, *pair) for line, pair in zip(lines, page, strict=True)],
            [*_ends(wanted), *self._holds(wanted, now)],
        )

    def _previewed(self, line: Line, row: Any, would: WouldSend) -> Line:
        """Return the line with its message, or with why none would go."""
        url = self.url_of("change", quote(row.pk))
        if would.ended is not None:
            fails = would.ended.status == row.Status.FAILED
            word = "It will fail" if fails else "It will not be sent"
            ends = "would fail" if fails else "would be cancelled"
            warning = f"{word}: {would.ended.error}"
            return replace(line, warning=warning, preview=Preview(url, {}, ends=ends))
        parts = self.masked(row, parts_of(would.message))
        preview = Preview(
            url,
            parts,
            frame_url=self.url_of("would_send", quote(row.pk)) if "html" in would.message else "",
            **self._compared(row, would, parts),
        )
        return replace(line, preview=preview)

    def _compared(self, row: Any, would: WouldSend, parts: dict[str, str]) -> dict[str, Any]:
        """Return what changed since the message was last rendered, where that was kept."""
        if row.rendered and row.rendered == would.row.rendered:
            return {"note": AS_IT_WAS + (STALE if self._is_stale(row, parts) else ".")}
        since = "it was sent" if row.sent_at else "it was first tried"
        if not (stored := row.rendered or row.preview):
            return {}
        old = json.loads(stored)
        return {
            "changes": tuple(_changes(self.masked(row, parts_of(old)), parts)),
            "is_html_changed": _html_of(self.masked(row, old))
            != _html_of(self.masked(row, would.message)),
            "since": since if row.rendered else "the dry run",
        }

    def _is_stale(self, row: Any, parts: dict[str, str]) -> bool:
        """Return whether the message would say something else if it were rendered now."""
        try:
            return self.masked(row, parts_of(row.render())) != parts
        except (Unsendable, Irrelevant):
            return True

    def _holds(self, wanted: list[WouldSend], now: datetime) -> Iterable[str]:
        """Yield why what would go has to wait all the same, once a channel."""
        rows = {self.sender_of(each.row).channel: each.row for each in wanted if not each.ended}
        ways = self.ways(now) if rows else {}
        for name, row in rows.items():
            wait = why_waiting(row, ways[name], now=now)
            if wait and wait.kind is not Kind.DUE_NOW:
                yield f"They will wait for now. {wait.sentence}"

    def would_send_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the e-mail that a press would send, for a sandboxed frame."""
        if not any(action.sends for action in self.permitted(request)):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        [would] = would_send([row], sender_of=self.sender_of, now=now_of(request))
        if not would.message or "html" not in would.message:
            raise Http404
        return email_page(self.masked(row, would.message))


def email_page(message: Mapping[str, Any]) -> HttpResponse:
    """Return an e-mail as a page of its own under its own policy, for a sandboxed frame."""
    response = HttpResponse(message.get("html") or message.get("text", ""))
    response["Content-Security-Policy"] = EMAIL_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "no-store"
    return response


def _html_of(message: Mapping[str, Any]) -> Any:
    return message.get("html")


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[Change]:
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name, ""), new.get(name, "")
        if before != after:
            yield Change(name, shortened(changes(before, after)))


def _ends(wanted: list[WouldSend]) -> Iterable[str]:
    """Yield how many would end without a call, and why, in words."""
    ended = [each.ended for each in wanted if each.ended is not None]
    if not ended:
        return
    reasons = Counter(REASONS.get(str(each.reason), "its message breaks") for each in ended)
    why = "; ".join(f"{count}, because {reason}" for reason, count in reasons.items())
    yield f"{len(wanted) - len(ended)} of {len(wanted)} would be sent. Not sent: {why}."
