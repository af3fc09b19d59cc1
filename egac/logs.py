"""Log lines without secrets, as plain text or as JSON."""

import json
import logging
import re
from datetime import UTC, datetime

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
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Return the text without any configured secret, nor the value of a query's secret or key."""
    for name in SECRET_SETTINGS:
        value = getattr(settings, name, "")
        if value:
            text = text.replace(value, REDACTED)
    return QUERY_SECRET.sub(rf"\1{REDACTED}", text)


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


class JsonFormatter(logging.Formatter):
    """One JSON object a line, its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)
