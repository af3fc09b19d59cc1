"""Delivery events as Resend posts them, and the door that every webhook comes through.

Refusals, in this order: 405, 503 while no secret is set, 413, 401 for a signature that does not
hold, 400 for a body that is no JSON object. None of them changes anything. An event that we have no
use for (of a contact, a domain, a kind that we do not know) is answered 200 and not kept.
"""

import base64
import binascii
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import resend
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import is_naive
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from egac.events import Kind, Told, mapping, plain, receive, row_named
from egac.providers import NotConfigured

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_048_576  # bytes
SHORTEST_KEY = 16  # bytes: an empty one would take anybody's signature for Resend's

KINDS = {
    "email.sent": Kind.SENT,
    "email.delivery_delayed": Kind.DELAYED,
    "email.failed": Kind.FAILED,
    "email.suppressed": Kind.SUPPRESSED,
    "email.delivered": Kind.DELIVERED,
    "email.opened": Kind.OPENED,
    "email.clicked": Kind.CLICKED,
    "email.bounced": Kind.BOUNCED,
    "email.complained": Kind.COMPLAINED,
}


class Refused(Exception):
    """A call that changes nothing: the status of the answer, and why in a sentence."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def webhook(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let a provider in without a session, and answer its refusals."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except NotConfigured as error:
            return JsonResponse({"ok": False, "error": str(error)}, status=503)
        except Refused as error:
            return JsonResponse({"ok": False, "error": str(error)}, status=error.status)

    return csrf_exempt(never_cache(answered))


def body_of(request: HttpRequest) -> bytes:
    """Return the body as it came, or refuse one that is too large; it is signed as it came."""
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Refused(413, f"The body is larger than {LARGEST_BODY} bytes.")
    return body


def answer(told: list[Told]) -> HttpResponse:
    """Apply the events, each in a transaction of its own, and tell how many were new."""
    return JsonResponse({"ok": True, "stored": sum(receive(event) for event in told)})


@webhook
@require_POST
def from_resend(request: HttpRequest) -> HttpResponse:
    """Take one event that Resend signed."""
    secret = _signing_secret()
    body = body_of(request)
    event = _verified(body, request, secret)
    told = told_by_resend(event, event_id=request.headers["svix-id"])
    if told is None:
        logger.info("Resend told of %s, which is not kept", plain(event.get("type")))
    return answer([told] if told else [])


def _signing_secret() -> str:
    """Return Resend's signing secret, whose key must be one: the SDK would take an empty one."""
    secret = settings.RESEND_WEBHOOK_SECRET
    if not secret:
        raise NotConfigured("RESEND_WEBHOOK_SECRET is not set, so this address is closed.")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_KEY:
        raise NotConfigured("RESEND_WEBHOOK_SECRET is no signing secret: copy Resend's whsec_….")
    return str(secret)


def _verified(body: bytes, request: HttpRequest, secret: str) -> dict[str, Any]:
    """Return the event of a body that Resend signed in the last five minutes."""
    # The SDK does not look at the version of a signature; only v1 is the HMAC that it computes.
    signatures = request.headers.get("svix-signature", "").split()
    options: resend.VerifyWebhookOptions = {
        "payload": "",
        "headers": {
            "id": request.headers.get("svix-id", ""),
            "timestamp": request.headers.get("svix-timestamp", ""),
            "signature": " ".join(each for each in signatures if each.startswith("v1,")),
        },
        "webhook_secret": secret,
    }
    try:
        options["payload"] = body.decode()
        event: Any = resend.Webhooks.verify(options)
    except ValueError as error:
        if isinstance(error.__cause__, json.JSONDecodeError):
            raise Refused(400, "The body is no JSON.") from error
        raise Refused(401, "The signature is missing, wrong or too old.") from error
    if not isinstance(event, dict):
        raise Refused(400, "The body is no JSON object.")
    return event


def told_by_resend(event: dict[str, Any], *, event_id: str) -> Told | None:
    """Return what an event says of an e-mail, or None where it is of no use to us. Pure.

    Neither the subject nor a clicked link is kept: the link of an invite is a secret.
    """
    kind = KINDS.get(plain(event.get("type")))
    data = mapping(event.get("data"))
    message_id, at = plain(data.get("email_id")), _instant(event.get("created_at"))
    if kind is None or not message_id or at is None:
        return None
    to = data.get("to")
    source, source_id, generation = row_named(mapping(data.get("tags")).get("row"))
    code, detail = _why(kind, data)
    return Told(
        provider="resend",
        event_id=plain(event_id),
        provider_message_id=message_id,
        source=source,
        source_id=source_id,
        generation=generation,
        kind=str(kind),
        occurred_at=at,
        recipient=", ".join(plain(each) for each in to) if isinstance(to, list) else plain(to),
        code=code,
        detail=detail,
    )


def _why(kind: Kind, data: dict[str, Any]) -> tuple[str, str]:
    """Return the type of a bounce or the reason of a failure, and Resend's words about it."""
    if kind is Kind.BOUNCED:
        bounce = mapping(data.get("bounce"))
        words = (plain(bounce.get("subType")), plain(bounce.get("message")))
        return plain(bounce.get("type")), ": ".join(filter(None, words))
    told = mapping(data.get(str(kind)))  # `failed`, `suppressed`
    return plain(told.get("reason")), plain(told.get("message"))


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(plain(value))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if is_naive(at) else at
