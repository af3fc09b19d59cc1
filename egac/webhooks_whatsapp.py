"""Delivery events as Meta posts them for WhatsApp: several in one body, signed as one."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from egac.auth import matches
from egac.events import Kind, Told, mapping, plain, row_named
from egac.providers import NotConfigured
from egac.webhooks import Refused, answer, body_of, webhook

KINDS = {
    "sent": Kind.SENT,
    "delivered": Kind.DELIVERED,
    "read": Kind.READ,
    "failed": Kind.FAILED,
}


@webhook
@require_http_methods(["GET", "POST"])
def from_whatsapp(request: HttpRequest) -> HttpResponse:
    """Prove to Meta that this address is ours, or take the events that it signed."""
    return _challenge(request) if request.method == "GET" else _events(request)


def _challenge(request: HttpRequest) -> HttpResponse:
    """Echo Meta's challenge to who knows the verify token."""
    if not settings.WHATSAPP_VERIFY_TOKEN:
        raise NotConfigured("WHATSAPP_VERIFY_TOKEN is not set, so this address is closed.")
    knows_it = matches([request.GET.get("hub.verify_token", "")], [settings.WHATSAPP_VERIFY_TOKEN])
    if request.GET.get("hub.mode") != "subscribe" or not knows_it:
        raise Refused(403, "The verify token is missing or wrong.")
    return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")


def _events(request: HttpRequest) -> HttpResponse:
    if not settings.WHATSAPP_APP_SECRET:
        raise NotConfigured("WHATSAPP_APP_SECRET is not set, so this address is closed.")
    body = body_of(request)
    keyed = hmac.new(settings.WHATSAPP_APP_SECRET.encode(), body, "sha256")
    if not matches(
        [request.headers.get("X-Hub-Signature-256", "")], [f"sha256={keyed.hexdigest()}"]
    ):
        raise Refused(401, "The signature is missing or wrong.")
    try:
        told = json.loads(body)
    except ValueError as error:
        raise Refused(400, "The body is no JSON.") from error
    if not isinstance(told, dict):
        raise Refused(400, "The body is no JSON object.")
    return answer(told_by_whatsapp(told))


def told_by_whatsapp(body: dict[str, Any]) -> list[Told]:
    """Return what a body says of our messages; what people wrote to us is not read. Pure."""
    told = (_told(status) for status in _statuses(body))
    return [event for event in told if event]


def _statuses(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in _objects(body.get("entry")):
        for change in _objects(entry.get("changes")):
            yield from _objects(mapping(change.get("value")).get("statuses"))


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _told(status: dict[str, Any]) -> Told | None:
    """Return one status as an event, or None where it is of no use to us."""
    kind, wamid = KINDS.get(plain(status.get("status"))), plain(status.get("id"))
    at = _instant(status.get("timestamp"))
    if kind is None or not wamid or at is None:
        return None
    source, source_id, generation = row_named(status.get("biz_opaque_callback_data"))
    errors = _objects(status.get("errors"))
    code, detail = _why(errors[0]) if errors else ("", "")
    number = plain(status.get("recipient_id"))
    return Told(
        provider="whatsapp",
        event_id=f"{wamid}/{kind}/{at.timestamp():.0f}",
        provider_message_id=wamid,
        source=source,
        source_id=source_id,
        generation=generation,
        kind=str(kind),
        occurred_at=at,
        recipient=f"+{number}" if number.isdigit() else number,
        code=code,
        detail=detail,
    )


def _why(error: dict[str, Any]) -> tuple[str, str]:
    """Return Meta's code and its words, with the details that say what to mend."""
    details = plain(mapping(error.get("error_data")).get("details"))
    words = [plain(error.get("message") or error.get("title")).rstrip("."), details.rstrip(".")]
    return str(error.get("code", ""))[:20], ". ".join(dict.fromkeys(filter(None, words)))


def _instant(value: object) -> datetime | None:
    """Return an instant that is told in seconds, as a text or as a number."""
    try:
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
