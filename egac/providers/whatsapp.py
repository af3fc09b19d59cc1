"""Meta's WhatsApp Cloud API carries our WhatsApp messages.

Nothing protects a repeat here: Meta knows no idempotency key. So only its own error is a refusal,
and whatever else comes back may stand in front of an accepted message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import phonenumbers
from django.conf import settings

from egac.outbox import Unsendable
from egac.providers import Cause, NotConfigured, ProviderError, Sender
from egac.providers.http import Answer, call

USER_AGENT = "egac-ops/1.0.0"


@dataclass(frozen=True)
class Meaning:
    """What one of Meta's error codes says; `retry_after` is in seconds."""

    cause: Cause
    permanent: bool = False
    retry_after: float | None = None


REFUSED = Meaning(Cause.MESSAGE, permanent=True)
SLOWER = Meaning(Cause.RATE_LIMIT)
FEWER_CALLS = Meaning(Cause.RATE_LIMIT, retry_after=60)  # counted over an hour, not a second
ONE_TO_ONE = Meaning(Cause.RECIPIENT_LIMIT)
NOT_TODAY = Meaning(Cause.RECIPIENT_LIMIT, retry_after=86_400)
FAILING = Meaning(Cause.UNAVAILABLE)
# Credentials in the wide sense, our standing with Meta included: every message would meet the same
# answer until a person acts, so the channel closes and no row pays for it.
A_PERSON_MUST_ACT = Meaning(Cause.CREDENTIALS)
ODD = Meaning(Cause.MESSAGE)  # a code that we do not know: bounded tries, at nobody else's cost

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes: decide on the code,
# not on the HTTP status or the title.
MEANINGS: dict[int, Meaning] = {
    **dict.fromkeys((0, 3, 10, 190, *range(200, 300)), A_PERSON_MUST_ACT),  # token, permission
    **dict.fromkeys((368, 131031, 131042, 131048), A_PERSON_MUST_ACT),  # policy, lock, bill, spam
    **dict.fromkeys((131005, 131037, 131045, 133010), A_PERSON_MUST_ACT),  # access, name, number
    **dict.fromkeys((1, 2, 131000, 131016, 131057), FAILING),
    **dict.fromkeys((4, 80007), FEWER_CALLS),  # of the app, of the account
    130429: SLOWER,  # the number's throughput
    131049: NOT_TODAY,  # marketing to one user
    131056: ONE_TO_ONE,  # from one number to one user
    **dict.fromkeys((33, 100, 131008, 131009, 131021), REFUSED),  # the request, or its recipient
    **dict.fromkeys((130497, 131026, 131047), REFUSED),  # country, not on WhatsApp, no template
    **dict.fromkeys(range(132000, 133000), REFUSED),  # the template
}


def missing_settings() -> list[str]:
    """Return the names of the settings without which nothing can be sent."""
    names = ("WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID")
    return [name for name in names if not getattr(settings, name)]


def require_configured() -> None:
    """Raise NotConfigured with what to write, where a setting is missing."""
    if missing := missing_settings():
        raise NotConfigured(
            f"WhatsApp is not configured: set {' and '.join(missing)} in the environment or .env, "
            "or WHATSAPP_DRY_RUN=1 to try without sending."
        )


@lru_cache(maxsize=1024)  # a message's number is read when it is checked and when it is rendered
def usable_number(text: str, *, region: str) -> str:
    """Return a number in E.164, a national one read as one of `region`; raise Unsendable.

    Only possible, not valid: the stricter check refuses the numbers reserved for samples.
    """
    if not text.strip():
        raise Unsendable("It has no phone number. Add one, then retry.")
    # The parser drops letters, and what is left may be the number of somebody else.
    if any(character.isalpha() for character in text):
        raise Unsendable(f"{text!r} is no phone number: it has letters in it. Correct it.")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise Unsendable(
            f"{text!r} is no phone number. Write it like +44 7700 900123, with its country code."
        ) from None
    if not phonenumbers.is_possible_number(number):
        raise Unsendable(f"{text!r} has too few or too many digits for a phone number. Correct it.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def template_message(
    *, to: str, template: str, language: str, variables: Sequence[str], tag: str
) -> dict[str, Any]:
    """Return a message of an approved template, its body's variables in their order.

    `to` is in E.164. `tag` comes back in the delivery webhook, so that it finds its row.
    """
    content: dict[str, Any] = {
        "name": template,
        "language": {"policy": "deterministic", "code": language},
    }
    if variables:
        parameters = [{"type": "text", "text": _on_one_line(text)} for text in variables]
        content["components"] = [{"type": "body", "parameters": parameters}]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": content,
        "biz_opaque_callback_data": tag,
    }


def _on_one_line(text: str) -> str:
    """Meta refuses a variable with a line break, a tab or more than four spaces in a row."""
    return " ".join(text.split())


def send(message: Mapping[str, Any], key: str) -> str:
    """Send one message and return Meta's id of it (the wamid); raise ProviderError.

    `key` is every sender's, and of no use to Meta.
    """
    answer = call(
        "POST",
        f"{settings.WHATSAPP_API_URL}/{settings.WHATSAPP_PHONE_NUMBER_ID}/messages",
        headers={
            "Authorization": f"Bearer {settings.WHATSAPP_TOKEN}",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
        },
        body=json.dumps(message).encode(),
    )
    if answer.status >= 400:
        raise _error_of(answer)
    return _wamid(answer)


def _wamid(answer: Answer) -> str:
    """Return the id of the accepted message; without one it may still be on its way."""
    try:
        wamid = answer.json()["messages"][0]["id"]
    except (KeyError, IndexError, TypeError):
        wamid = None
    if answer.status >= 300 or not isinstance(wamid, str) or not wamid:
        raise _unknown(answer)
    return wamid


def _error_of(answer: Answer) -> ProviderError:
    """Return what an answer of 400 or more means; it is a refusal only in Meta's own words."""
    told = answer.json()
    error = told.get("error") if isinstance(told, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or type(code) is not int:
        return _unknown(answer)
    meaning = _meaning(code, answer.status)
    return ProviderError(
        f"WhatsApp answered {answer.status} with code {code}: {_words(error) or answer.start}",
        permanent=meaning.permanent,
        retry_after=answer.retry_after or meaning.retry_after,
        cause=meaning.cause,
        code=str(code),
    )


def _meaning(code: int, status: int) -> Meaning:
    return MEANINGS.get(code, FAILING if status >= 500 else ODD)


def _words(error: Mapping[str, Any]) -> str:
    """Return Meta's message and, where it gives them, the details that say what to mend."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    return ". ".join(str(text).rstrip(".") for text in (error.get("message"), details) if text)


def _unknown(answer: Answer) -> ProviderError:
    return ProviderError(
        f"WhatsApp answered {answer.status} and neither took nor refused the message: "
        f"{answer.start}",
        cause=Cause.UNKNOWN,
        code="half_an_answer" if answer.status < 300 else f"http_{answer.status}",
    )


WHATSAPP = Sender(channel="whatsapp", provider="whatsapp", send=send, key_protects=timedelta(0))
