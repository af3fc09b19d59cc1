"""What a queued row says, checked, and the message that is made of it.

The shapes are domain.md's. A row that could never be sent raises Unsendable with a sentence that
says what is missing.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from egac.mail import compose, envelope, usable_address
from egac.outbox import Unsendable
from egac.providers import whatsapp
from notifications.catalogue import TYPES, require_context

UNREADABLE = "unreadable"


class PayloadDecoder(json.JSONDecoder):
    """Read what the database can hold and Python cannot as UNREADABLE: its row must fail, and
    not the claim of all the rows beside it."""

    def decode(self, s: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().decode(s, *args, **kwargs)
        except (ValueError, RecursionError):  # a number of 5,000 digits, a thousand brackets
            return UNREADABLE


CHANNELS = ("email", "whatsapp")
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON escapes it


def check(payload: Any) -> None:
    """Raise Unsendable for a payload that could never be sent; its template is not rendered."""
    if not isinstance(payload, Mapping):
        raise Unsendable("Its payload is no object with a channel and a recipient.")
    channel = payload.get("channel")
    if channel == "whatsapp":
        _check_whatsapp(payload)
    elif channel == "email":
        _check_email(payload)
    else:
        raise Unsendable(f"Its payload names the channel {channel!r}. Write email or whatsapp.")


def message(payload: Any, *, tag: str) -> dict[str, Any]:
    """Return the message as its provider takes it; raise Unsendable."""
    check(payload)
    if payload["channel"] == "whatsapp":
        return _whatsapp(payload, tag=tag)
    if payload.get("template"):
        context = payload.get("context") or {}
        return compose(payload["template"], to=payload["to"], context=context, tag=tag)
    return _written_email(payload, tag=tag)


def whatsapp_number(payload: Any) -> str:
    """Return the number of a WhatsApp message in E.164, "" where there is none that can be used."""
    if not isinstance(payload, Mapping) or payload.get("channel") != "whatsapp":
        return ""
    try:
        return _number(payload)
    except Unsendable:
        return ""


def as_json(told: Any) -> str:
    """Return a payload, or rows with one each, as PostgreSQL's jsonb takes it; raise Unsendable."""
    try:
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"Its payload cannot be written as JSON: {error}.") from error
    if "\\u0000" in text and NUL.search(text):
        raise Unsendable("Its payload holds the character NUL, which PostgreSQL does not store.")
    return text


def _check_email(payload: Mapping[str, Any]) -> None:
    _check_address(payload)
    if payload.get("template"):
        _check_template(payload)
        return
    if not _text(payload, "subject"):
        raise Unsendable("Its payload has no subject.")
    if not any([_text(payload, "html"), _text(payload, "text")]):
        raise Unsendable("Its payload has no content: neither html nor text, nor a template.")
    _text(payload, "reply_to")
    attachments = payload.get("attachments") or []
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise Unsendable("Its payload's attachments are no list of objects.")


def _check_address(payload: Mapping[str, Any]) -> None:
    to = _text(payload, "to")
    if not to:
        raise Unsendable("Its payload names no recipient: write an e-mail address as its to.")
    try:
        usable_address(to)
    except Unsendable:
        raise Unsendable(f"Its payload's to, {to!r}, is no e-mail address.") from None


def _check_template(payload: Mapping[str, Any]) -> None:
    name = _text(payload, "template")
    if name not in TYPES:
        raise Unsendable(f"There is no e-mail template called {name!r}.")
    context = payload.get("context") or {}
    if not isinstance(context, Mapping):
        raise Unsendable("Its payload's context is no object.")
    require_context(name, context)


def _written_email(payload: Mapping[str, Any], *, tag: str) -> dict[str, Any]:
    """Return an e-mail whose subject and content another program wrote."""
    content = {name: payload[name] for name in ("html", "text") if payload.get(name)}
    told = envelope(payload["to"], subject=payload["subject"], content=content, tag=tag)
    if reply_to := _text(payload, "reply_to"):
        told["reply_to"] = reply_to
    if attachments := payload.get("attachments"):
        told["attachments"] = attachments
    return told


def _check_whatsapp(payload: Mapping[str, Any]) -> None:
    _number(payload)
    if not _text(payload, "template"):
        raise Unsendable("Its payload names no WhatsApp template.")
    _text(payload, "language")
    variables = payload.get("variables") or []
    if not isinstance(variables, list) or not all(isinstance(word, str) for word in variables):
        raise Unsendable("Its payload's variables are no list of texts.")


def _number(payload: Mapping[str, Any]) -> str:
    return whatsapp.usable_number(_text(payload, "to"), region=settings.PHONE_REGION)


def _whatsapp(payload: Mapping[str, Any], *, tag: str) -> dict[str, Any]:
    return whatsapp.template_message(
        to=_number(payload),
        template=payload["template"],
        language=_text(payload, "language") or "en_GB",
        variables=payload.get("variables") or [],
        tag=tag,
    )


def _text(payload: Mapping[str, Any], name: str) -> str:
    """Return a text of the payload, "" where there is none; raise Unsendable for another type."""
    value = payload.get(name) or ""
    if not isinstance(value, str):
        raise Unsendable(f"Its payload's {name} is no text.")
    return value.strip()
