"""What an error means, how a row ended, and what to do next, in plain sentences. Pure."""

import json
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from egac.error_texts import Told, read
from egac.meanings import CORRECT, LOOK, Meaning, meaning_of
from egac.retry import Reason

# Errors of ours whose message is such a sentence already.
OWN_SENTENCES = {str(reason) for reason in Reason}

# A row that ended so was not called, so its words are ours, also in a table that keeps no code.
ENDED_BY_US = {Reason.INVALID, Reason.IRRELEVANT, Reason.EXPIRED, Reason.SUPPRESSED}

LONGEST = 200


def explain_error(error: Any, *, gave_up: bool, reason: str | None = None) -> str:
    """Return a stored error as one sentence: what happened, and what to do; "" for none.

    `gave_up` says that nothing tries the row again by itself, `reason` why it ended. The error may
    be ours, a code with a message; or the older program's, which may be any JSON.
    """
    meaning, told = _meaning_of(error)
    if meaning is None or reason in ENDED_BY_US:
        return told.words
    again = "press Retry now" if gave_up else "it is tried again by itself"
    return f"{_filled(meaning, told)}: {meaning.then or again}."


def what_happened(error: Any) -> str:
    """Return a stored error as one sentence without a next step, for what lies behind us."""
    meaning, told = _meaning_of(error)
    return told.words if meaning is None else f"{_filled(meaning, told)}."


def means(error: Any, *, reason: str | None, correct: str) -> tuple[str, str]:
    """Return of failed rows with this error what it means, and what to do, each a sentence.

    `correct` says how rows of this table are corrected.
    """
    meaning, told = _meaning_of(error)
    if meaning is None:
        what = told.words or f"{REASONS.get(reason or '', 'no error was kept')}."
    elif reason == Reason.INVALID:  # its error is a sentence of ours
        what = told.words
    else:
        what = f"{_filled(meaning, told)}."
    then = meaning.then if meaning else ""
    if reason == Reason.UNCERTAIN:
        then = LOOK
    elif reason == Reason.INVALID or then == CORRECT:
        then = correct
    return _as_sentence(what), _as_sentence(f"{then or 'retry when the cause is gone'}.")


def provider_code(error: Any) -> str:
    """Return the code under which a provider told an error; "" where it is ours, or has none."""
    _, told = _meaning_of(error)
    return "" if told.code in OWN_SENTENCES else told.code


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _meaning_of(error: Any) -> tuple[Meaning | None, Told]:
    """Return what an error means and who said it; None where its words say it all."""
    code, message = code_and_message(error)
    if (not code and not message) or code in OWN_SENTENCES:
        return None, Told(code, message)
    told = read(code, message)
    return meaning_of(told.who, told.code) or Meaning("The last try failed ({words})"), told


def _filled(meaning: Meaning, told: Told) -> str:
    words = _shortened(told.words) or "no reason was given"
    return meaning.what.format(words=words, who=told.who)


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


def _shortened(words: str) -> str:
    plain = " ".join(words.split()).rstrip(".")
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


REASONS: dict[str, str] = {
    Reason.PERMANENT: "the provider refused it for good",
    Reason.EXHAUSTED: "it was given up after its last try",
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
