"""The inbox's pages as text. Every value that came from outside passes `escape`."""

import json
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from tests.providers.faults import recipients
from tests.providers.ledger import Accepted, Call
from tests.providers.provider import parsed
from tests.providers.resend_rules import as_list

NEWEST = 200  # rows shown of each list
NOTICE = (
    "This is a local stand-in for the e-mail and WhatsApp providers. Nothing left this machine."
)
BACK = '<p><a href="/inbox">← Inbox</a></p>'
EMPTY = "No message yet. What the app sends appears here; press Refresh to look again."
HEADERS = ("from", "to", "cc", "bcc", "reply_to", "subject", "scheduled_at")
SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/inbox/style.css">
</head>
<body>
<p class="notice" role="note">{notice}</p>
<main>
{body}
</main>
</body>
</html>
"""


def overview_page(accepted: list[Accepted], calls: list[Call]) -> str:
    """Return the list of messages, newest first, and of the calls that were refused."""
    refused = [call for call in calls if call.number and (call.status or 0) >= 400]
    head = '<header><h1>Inbox</h1><a class="button" href="/inbox">Refresh</a></header>'
    count = f"<p>{_count(accepted, refused)}</p>"
    return _shell("Inbox", head + count + _messages(accepted) + _refusals(refused))


def message_page(message: Accepted) -> str:
    """Return one message: its headers, its text, and its HTML in a sandboxed frame."""
    subject = escape(str(message.payload.get("subject", "")))
    parts = [
        f"{BACK}<h1>{subject}</h1>",
        f"<dl>{''.join(_pair(name, value) for name, value in _headers(message))}</dl>",
        _text_part(message),
        _html_part(message),
    ]
    return _shell(f"{subject} · Inbox", "\n".join(parts))


def missing_page(words: str) -> str:
    return _shell("Not here · Inbox", f"{BACK}<h1>Not here</h1><p>{escape(words)}</p>")


def _shell(title: str, body: str) -> str:
    return SHELL.format(title=title, notice=NOTICE, body=body)


def _count(accepted: list[Accepted], refused: list[Call]) -> str:
    messages = "1 message accepted" if len(accepted) == 1 else f"{len(accepted)} messages accepted"
    calls = "1 call refused" if len(refused) == 1 else f"{len(refused)} calls refused"
    is_cut = max(len(accepted), len(refused)) > NEWEST
    return f"{messages}, {calls}.{f' The newest {NEWEST} of each are shown.' if is_cut else ''}"


def _messages(accepted: list[Accepted]) -> str:
    if not accepted:
        return f'<p class="empty">{EMPTY}</p>'
    rows = "".join(_message_row(each) for each in reversed(accepted[-NEWEST:]))
    return f'<ol class="rows" aria-label="Messages, newest first">{rows}</ol>'


def _message_row(message: Accepted) -> str:
    payload = message.payload
    to = escape(_joined(payload.get("to")))
    return (
        f'<li><a class="row" href="/inbox/{quote(message.id)}">'
        f'<strong class="subject">{escape(str(payload.get("subject", "")))}</strong>'
        f'<span class="to"><i>to</i> {to}</span>'
        f'<span class="from"><i>from</i> {escape(str(payload.get("from", "")))}</span>'
        f"{_time(message.wall)}</a></li>"
    )


def _refusals(refused: list[Call]) -> str:
    if not refused:
        return ""
    rows = "".join(_refusal_row(call) for call in reversed(refused[-NEWEST:]))
    label = "Refused calls, newest first"
    return f'<h2>Refused calls</h2><ol class="rows" aria-label="{label}">{rows}</ol>'


def _refusal_row(call: Call) -> str:
    to = escape(", ".join(recipients(parsed(call.body))) or "no address")
    name = escape(call.name or "no error name")
    return (
        f'<li class="row refused"><strong class="subject">{to}</strong>'
        f'<span class="to"><b class="status">{call.status}</b> {name}</span>'
        f'<span class="from"><i>{escape(call.path)}</i></span>{_time(call.wall)}</li>'
    )


def _headers(message: Accepted) -> list[tuple[str, str]]:
    payload = message.payload
    named = [(name, payload.get(name)) for name in HEADERS]
    lines = [(name.replace("_", " "), _joined(value)) for name, value in named if value]
    own = payload.get("headers")
    lines += [(name, str(value)) for name, value in own.items()] if isinstance(own, dict) else []
    lines += [("tag", json.dumps(tag)) for tag in as_list(payload.get("tags"))]
    lines += [("idempotency key", message.key)] if message.key else []
    return [*lines, ("id", message.id), ("accepted", _clock(message.wall))]


def _joined(value: Any) -> str:
    return ", ".join(str(each) for each in as_list(value))


def _pair(name: str, value: Any) -> str:
    return f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"


def _text_part(message: Accepted) -> str:
    text = message.payload.get("text")
    if not text:
        return '<p class="empty">No text part.</p>'
    return f"<h2>Text</h2><pre>{escape(str(text))}</pre>"


def _html_part(message: Accepted) -> str:
    if not message.payload.get("html"):
        return '<p class="empty">No HTML part.</p>'
    source = f"/inbox/{quote(message.id)}/html"
    return f'<h2>HTML</h2><iframe sandbox src="{source}" title="The HTML part"></iframe>'


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{_clock(moment)}</time>'


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%-d %b %Y, %H:%M:%S")
