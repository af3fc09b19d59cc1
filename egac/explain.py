"""What an error means, how a row ended, and what to do next, in plain sentences. Pure."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from egac.retry import Reason


@dataclass(frozen=True)
class Meaning:
    """What happened, and what a person does. `{words}` stands for the provider's own words.

    Without `then` the row is tried again by itself while it has attempts left.
    """

    what: str
    then: str = ""


CORRECT = "correct the enquiry, then retry"
NEW_KEY = "Resend should give us a new key; write it into RESEND_API_KEY"
TELL = "a developer has to look at it"

# Resend's error names: https://resend.com/docs/api-reference/errors
MEANINGS = {
    "validation_error": Meaning("Resend refused the address or the content ({words})", CORRECT),
    "invalid_parameter": Meaning("Resend refused a part of the message ({words})", CORRECT),
    "missing_required_field": Meaning("The message lacks something Resend needs ({words})", TELL),
    "invalid_attachment": Meaning("Resend refused an attachment ({words})", TELL),
    "invalid_from_address": Meaning(
        "Resend refuses our sender address ({words})", "correct RESEND_FROM, then retry"
    ),
    "invalid_idempotency_key": Meaning("Resend refused the key of this message ({words})", TELL),
    "invalid_idempotent_request": Meaning(
        "Resend holds another message under the same key", "retry: that takes a new key"
    ),
    "not_found": Meaning("Nothing is at Resend's address", "correct RESEND_API_URL, then retry"),
    "method_not_allowed": Meaning(
        "Resend's address takes no messages", "correct RESEND_API_URL, then retry"
    ),
    "missing_api_key": Meaning("Resend got no key from us", "write RESEND_API_KEY"),
    "invalid_api_key": Meaning("Resend refuses our key", NEW_KEY),
    "restricted_api_key": Meaning("Our key at Resend may not send", NEW_KEY),
    "suspended_api_key": Meaning("Resend suspended our key", "ask Resend why, then resume"),
    "invalid_permission": Meaning("Our key at Resend may not send", NEW_KEY),
    "unverified_domain": Meaning(
        "Resend does not send for our domain ({words})", "verify the domain at Resend"
    ),
    "concurrent_idempotent_requests": Meaning("Resend was still busy with this very message"),
    "resource_locked": Meaning("Resend was still busy with this very message"),
    "rate_limit_exceeded": Meaning("Resend asked us to slow down"),
    "daily_quota_exceeded": Meaning("Today's quota at Resend is used up"),
    "monthly_quota_exceeded": Meaning(
        "This month's quota at Resend is used up", "buy a larger plan or wait for next month"
    ),
    "application_error": Meaning("Resend had an error of its own"),
    "internal_server_error": Meaning("Resend had an error of its own"),
    "service_unavailable": Meaning("Resend was out of service"),
    "timeout": Meaning("Resend did not answer in time, so perhaps it arrived"),
    "unreachable": Meaning("Resend could not be reached"),
    "connection_broken": Meaning("The connection broke during the call, so perhaps it arrived"),
    "half_an_answer": Meaning("Resend's answer was cut off, so perhaps it arrived"),
    "unknown": Meaning("The sender stopped during the call, so perhaps it arrived"),
    "sender_died": Meaning("The sender stopped before the call"),
    "message": Meaning("The message could not be made or sent ({words})", TELL),
}
# Errors of ours whose message is such a sentence already.
OWN_SENTENCES = {str(reason) for reason in Reason}

ANSWER = re.compile(
    r"Resend (?:answered (?P<status>\d+)(?: (?P<name>\w+))?|refused this e-mail of the batch)"
    r": (?P<words>.*)",
    re.DOTALL,
)
LONGEST = 200


def explain_error(error: Any, *, gave_up: bool) -> str:
    """Return a stored error as one sentence: what happened, and what to do; "" for none.

    `gave_up` says that nothing tries the row again by itself. The error may be ours, a code with
    a message; or the older program's, which may be any JSON.
    """
    meaning, words = _meaning_of(error)
    if meaning is None:
        return words
    again = "press Retry now" if gave_up else "it is tried again by itself"
    return f"{_filled(meaning, words)}: {meaning.then or again}."


def what_happened(error: Any) -> str:
    """Return a stored error as one sentence without a next step, for what lies behind us."""
    meaning, words = _meaning_of(error)
    return words if meaning is None else f"{_filled(meaning, words)}."


def _meaning_of(error: Any) -> tuple[Meaning | None, str]:
    """Return what an error means and the provider's words; None where the words say it all."""
    code, message = code_and_message(error)
    if (not code and not message) or code in OWN_SENTENCES:
        return None, message
    code, words = _read(code, message)
    return MEANINGS.get(code) or _of_status(code) or Meaning("The last try failed ({words})"), words


def _filled(meaning: Meaning, words: str) -> str:
    return meaning.what.format(words=_shortened(words) or "no reason was given")


def code_and_message(error: Any) -> tuple[str, str]:
    """Return the provider's name of a stored error and its words."""
    if isinstance(error, str):
        return _of_text(error)
    if not isinstance(error, dict):
        return "", "" if error is None else json.dumps(error)
    if isinstance(error.get("error"), dict):
        return code_and_message(error["error"])
    code = error.get("code") or error.get("name") or ""
    message = error.get("message") or error.get("error") or ""
    if not code and not message:
        return "", json.dumps(error) if error else ""
    return str(code), str(message)


def _of_text(text: str) -> tuple[str, str]:
    try:
        inner = json.loads(text)
    except ValueError:
        return "", text
    return code_and_message(inner) if isinstance(inner, dict) else ("", text)


def _read(code: str, message: str) -> tuple[str, str]:
    """Return the code and the provider's words, told apart where one text holds both."""
    answer = ANSWER.match(message)
    if not answer:
        return code, message
    name = answer["name"] or code or f"http_{answer['status']}"
    if name == "validation_error" and answer["status"] == "403":
        name = "unverified_domain"  # the same name means another thing under another status
    return name, answer["words"]


def _of_status(code: str) -> Meaning | None:
    if re.fullmatch(r"http_5\d\d", code):
        return MEANINGS["application_error"]
    if re.fullmatch(r"http_(401|403)", code):
        return MEANINGS["invalid_api_key"]
    if re.fullmatch(r"http_\d+", code):
        return Meaning("Something before Resend refused the call ({words})")
    return None


def _shortened(words: str) -> str:
    plain = " ".join(words.split()).rstrip(".")
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


REASONS: dict[str, str] = {
    Reason.PERMANENT: "the provider refused it for good",
    Reason.EXHAUSTED: "every attempt was used",
    Reason.UNCERTAIN: "nobody knows whether it arrived",
    Reason.INVALID: "it cannot be sent as it is",
    Reason.IRRELEVANT: "it lost its point",
    Reason.EXPIRED: "its time was over",
    Reason.SUPPRESSED: "the address must not be written to",
    Reason.BY_STAFF: "staff took it back",
}
NEXT_STEPS: dict[str, str] = {
    Reason.PERMANENT: "Correct what was refused, then press Retry now.",
    Reason.EXHAUSTED: "Press Retry now when the cause is gone.",
    Reason.UNCERTAIN: "Look at the provider's own list first; press Retry now if it is not there.",
    Reason.INVALID: "Correct the enquiry, then press Retry now.",
    Reason.SUPPRESSED: (
        "Correct the address, let a manager lift the suppression, or note that they agreed."
    ),
    Reason.BY_STAFF: "Press Retry now to send it after all.",
}


def ended_sentence(row: Any) -> str:
    """Return how a row ended and what a person can do; of an open one why_waiting.py tells."""
    status = row.Status
    if row.status == row.DONE:
        return _sent(row)
    if row.status == status.FAILED and row.reason is None:
        made = f"after {row.attempts} attempts"
        return f"Failed in the older program {made}. Press Retry now to send it."
    word = "Failed" if row.status == status.FAILED else "Cancelled"
    because = REASONS.get(row.reason, row.reason or "no reason was kept")
    return f"{word}: {because}. {NEXT_STEPS.get(row.reason, '')}".strip()


def _sent(row: Any) -> str:
    when = f" on {day_and_clock(row.sent_at)}" if row.sent_at else ""
    under = f", as {row.provider_message_id}" if row.provider_message_id else ""
    return f"Sent{when}{under}."


def clock(instant: datetime | None, now: datetime) -> str:
    """Return the time of day with its zone, and the day where it is not today."""
    if instant is None:
        return "no time"
    if localtime(instant).date() == localtime(now).date():
        return f"{localtime(instant):%H:%M %Z}"
    return day_and_clock(instant)


def day_and_clock(instant: datetime) -> str:
    """Return an instant in the club's zone, with the zone named."""
    return f"{localtime(instant):%-d %B %Y at %H:%M %Z}"
