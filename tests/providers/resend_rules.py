"""Which e-mails Resend takes: names from its error reference, words from its answers. Pure."""

import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

from tests.providers.faults import Refusal

MAX_RECIPIENTS = 50
MAX_BATCH = 100
MAX_KEY = 256
UNSUPPORTED_IN_A_BATCH = ("attachments", "scheduled_at")
TEST_DOMAINS = ("example.com", "test.com")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
TAG_WORDS = "Tags should only contain ASCII letters, numbers, underscores, or dashes."
ADDRESS = re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"().]+")
FORMAT = (
    "The email address needs to follow the `email@example.com` "
    "or `Name <email@example.com>` format."
)
TEST_DOMAIN = (
    "Invalid `to` field. Please use our testing email address instead of domains like `{domain}`."
)

Refuses = Callable[[str], str | None]  # bare address in, the provider's words or None out


def takes_all(_address: str) -> str | None:
    return None


def key_refusal(key: str | None) -> Refusal | None:
    if key is None or 1 <= len(key) <= MAX_KEY:
        return None
    return Refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")


def email_refusal(item: Any, refuses: Refuses = takes_all) -> Refusal | None:
    """Return why this e-mail is not taken, or None."""
    if not isinstance(item, dict):
        return Refusal(400, "validation_error", "The request body must be an object.")
    checks = (_missing, _bad_sender, _bad_content, _bad_tags)
    first = next((refusal for check in checks if (refusal := check(item))), None)
    return first or _bad_recipients(item, refuses)


def batch_refusal(items: Any) -> Refusal | None:
    """Return why this batch as a whole is not taken, or None."""
    if not isinstance(items, list) or not items:
        return _invalid("The request body must be a non-empty array of emails.")
    if len(items) > MAX_BATCH:
        return _invalid(f"A batch can hold up to {MAX_BATCH} emails.")
    return None


def _invalid(message: str) -> Refusal:
    return Refusal(422, "validation_error", message)


def _missing(item: dict[str, Any]) -> Refusal | None:
    required = ("from", "to", "subject")
    missing = [f"`{name}`" for name in required if item.get(name) in (None, "", [])]
    if not missing:
        return None
    return Refusal(422, "missing_required_field", f"Missing {', '.join(missing)} field.")


def _bad_sender(item: dict[str, Any]) -> Refusal | None:
    if is_mailbox(item["from"]):
        return None
    return Refusal(422, "invalid_from_address", f"Invalid `from` field. {FORMAT}")


def _bad_content(item: dict[str, Any]) -> Refusal | None:
    if not isinstance(item["subject"], str):
        return _invalid("The `subject` must be a string.")
    if "\n" in item["subject"] or "\r" in item["subject"]:
        return _invalid("The `\\n` is not allowed in the `subject` field.")
    if not (item.get("html") or item.get("text") or item.get("template")):
        return _invalid("Missing `html` or `text` field.")
    return None


def _bad_tags(item: dict[str, Any]) -> Refusal | None:
    for tag in item.get("tags") or []:
        pair = (tag.get("name"), tag.get("value")) if isinstance(tag, dict) else (None, None)
        if not all(isinstance(part, str) and TAG.fullmatch(part) for part in pair):
            return _invalid(TAG_WORDS)
    return None


def _bad_recipients(item: dict[str, Any], refuses: Refuses) -> Refusal | None:
    if len(as_list(item["to"])) > MAX_RECIPIENTS:
        return _invalid(f"Invalid `to` field. An email can have up to {MAX_RECIPIENTS} recipients.")
    for name in ("to", "cc", "bcc", "reply_to"):
        for mailbox in as_list(item.get(name)):
            if not is_mailbox(mailbox):
                return _invalid(f"Invalid `{name}` field. {FORMAT}")
    refusals = (_refused(mailbox, refuses) for mailbox in as_list(item["to"]))
    return next((_invalid(words) for words in refusals if words), None)


def _refused(mailbox: str, refuses: Refuses) -> str | None:
    address = parseaddr(mailbox)[1].lower()
    domain = address.rpartition("@")[2]
    if domain in TEST_DOMAINS:
        return TEST_DOMAIN.format(domain=domain)
    return refuses(address)


def is_mailbox(value: Any) -> bool:
    """Say whether the value is `email@domain.tld` or `Name <email@domain.tld>`."""
    if not isinstance(value, str) or "\n" in value or "\r" in value:
        return False
    named = re.fullmatch(r"[^<>]*<([^<>]+)>", value.strip())
    return bool(ADDRESS.fullmatch(named[1] if named else value.strip()))


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
