"""Log lines without secrets, as text or JSON, with the run and the row that they are about."""

import json
import logging
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

SECRET_SETTINGS = (
    "SECRET_KEY",
    "RESEND_API_KEY",
    "RESEND_WEBHOOK_SECRET",
    "WHATSAPP_TOKEN",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
    "CRON_SECRET",
    "CRON_SECRET_PREVIOUS",
    "SERVICE_ROLE_KEY",
    "SERVICE_ROLE_KEY_PREVIOUS",
    "SCHEDULER_SECRET_TOKEN",
    "SCHEDULER_SECRET_TOKEN_PREVIOUS",
    "METRICS_TOKEN",
    "ZOOM_CLIENT_SECRET",
    "GITHUB_TOKEN",
    "SLACK_WEBHOOK_URL",
    "OPSGENIE_API_KEY",
    "HEALTHCHECK_PING_URL",
)


def escaped(name: str) -> str:
    """Return what matches a name in a query, however the client escaped its letters."""
    return "".join(f"(?:{letter}|%{ord(letter):x})" for letter in name)


# The value of a `secret`, and of the `key` that opens an invoice.
QUERY_SECRET = re.compile(
    rf"""({escaped("secret")}=|[?&]{escaped("key")}=)[^&\s"]*""", re.IGNORECASE
)
ISSUED_TOKEN = re.compile(r"\begac_[\w-]{20,}\.[\w-]{20,}")  # of egac/tokens.py
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Return the text without any secret: the settings', a query's secret or key, issued tokens."""
    # The longest first: one may be the beginning of another.
    for value in sorted(_secrets(), key=len, reverse=True):
        if value:
            text = text.replace(value, REDACTED)
    text = ISSUED_TOKEN.sub(REDACTED, text)
    return QUERY_SECRET.sub(rf"\1{REDACTED}", text)


def _secrets() -> Iterator[str]:
    for name in SECRET_SETTINGS:
        value = getattr(settings, name, "")
        yield value
        # Libraries tell of an address without its host; what is secret in it is the path.
        if value.startswith("http"):
            yield urlsplit(value).path.strip("/")
    yield settings.DATABASES.get("default", {}).get("PASSWORD") or ""
    for tokens in settings.JOB_TOKENS.values():
        yield from tokens


class RedactSecrets(logging.Filter):
    """Redact a record, its traceback included, before any handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def _message(record: logging.LogRecord) -> str:
    """Return the message; a filter that raised would break the code that wrote the line."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


class KeptLines:
    """The log lines of one run of a job: of too many the first and the last. Any thread may add."""

    FIRST, LAST, LONGEST = 100, 300, 500

    def __init__(self, run: object) -> None:
        self.run = str(run)
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=self.LAST)
        self._count = 0

    def add(self, text: str) -> None:
        """Keep lines, without secrets."""
        # The database takes no NUL and no half of a character.
        storable = redact(text).replace("\0", "").encode("utf-8", "replace").decode()
        for line in storable.splitlines():
            self._count += 1
            kept = self._first if len(self._first) < self.FIRST else self._last
            kept.append(line[: self.LONGEST])

    @property
    def text(self) -> str:
        """The lines, and how many are left out."""
        lines, last = list(self._first), list(self._last)
        if left_out := self._count - len(lines) - len(last):
            lines.append(f"… {left_out} lines left out …")
        return "\n".join(lines + last)


_kept: ContextVar[KeptLines | None] = ContextVar("kept", default=None)


@contextmanager
def keep_lines(run: object) -> Iterator[KeptLines]:
    """Name the run in every log line of this context, and keep the lines to be stored with it."""
    lines = KeptLines(run)
    token = _kept.set(lines)
    try:
        yield lines
    finally:
        _kept.reset(token)


class KeepForRun(logging.Handler):
    """Hand each line to the run in whose context it was written."""

    def emit(self, record: logging.LogRecord) -> None:
        if lines := _kept.get():
            lines.add(self.format(record))


def about(row: Any) -> dict[str, str]:
    """Return the `extra` of a log line that is about one row."""
    return {"row": f"{row._meta.db_table}-{row.pk}"}


class TextFormatter(logging.Formatter):
    """One line of text; it names the run it was written in. A row stands in its words."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(run)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        lines = _kept.get()
        record.run = f" run {lines.run}:" if lines else ""
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if lines := _kept.get():
            line["run"] = lines.run
        if row := getattr(record, "row", ""):
            line["row"] = row
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)
