"""Webhook calls with real signatures, made as the providers make them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent, Suppression

RESEND, WHATSAPP = "/webhooks/resend", "/webhooks/whatsapp"
KEY = b"twenty-four bytes of key"
OTHER_KEY = b"another key of 24 bytes!"
APP_SECRET, VERIFY_TOKEN = "app-secret-of-the-tests", "verify-token-of-the-tests"

EVENT: dict[str, Any] = {
    "type": "email.bounced",
    "created_at": "2026-11-21T09:30:00.000Z",
    "data": {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "created_at": "2026-11-21T09:29:58.000Z",
        "from": "EGAC <noreply@club.example>",
        "to": ["amelia@families.example"],
        "subject": "A subject that nobody keeps",
        "tags": {"row": "notifications_queue-42"},
        "bounce": {
            "type": "Permanent",
            "subType": "NoEmail",
            "message": "The mailbox does not exist.",
            "diagnosticCode": ["550 5.1.1"],
        },
    },
}
STATUS: dict[str, Any] = {
    "id": "wamid.HBgM1",
    "status": "delivered",
    "timestamp": "1795253400",
    "recipient_id": "447700900123",
    "biz_opaque_callback_data": "notifications_queue-42",
}


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def signature(body: bytes, *, event_id: str, at: int, key: bytes = KEY) -> str:
    content = f"{event_id}.{at}.".encode() + body
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers_of_resend(
    body: bytes, *, event_id: str = "msg_1", age: int = 0, key: bytes = KEY, tag: str = "v1"
) -> dict[str, str]:
    at = int(time.time()) - age
    signed = f"{tag},{signature(body, event_id=event_id, at=at, key=key)}"
    return {"svix-id": event_id, "svix-timestamp": str(at), "svix-signature": signed}


def post(path: str, body: bytes, headers: dict[str, str]) -> Any:
    return Client().post(path, body, content_type="application/json", headers=headers)


def post_to_resend(body: Any = EVENT, **how: Any) -> Any:
    return post(RESEND, as_bytes(body), headers_of_resend(as_bytes(body), **how))


def headers_of_meta(body: bytes, key: str = APP_SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hmac.new(key.encode(), body, 'sha256').hexdigest()}"}


def post_to_whatsapp(body: Any, key: str = APP_SECRET) -> Any:
    return post(WHATSAPP, as_bytes(body), headers_of_meta(as_bytes(body), key))


def with_statuses(*statuses: Any) -> dict[str, Any]:
    value = {"messaging_product": "whatsapp", "statuses": list(statuses)}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": value}]}]}


def assert_refused(answer: HttpResponse, status: int) -> None:
    assert (answer.status_code, json.loads(answer.content)["ok"]) == (status, False)
    assert not DeliveryEvent.objects.exists()
    assert not Suppression.objects.exists()


def set_secrets(settings: Settings) -> None:
    settings.RESEND_WEBHOOK_SECRET = "whsec_" + base64.b64encode(KEY).decode()
    settings.WHATSAPP_APP_SECRET, settings.WHATSAPP_VERIFY_TOKEN = APP_SECRET, VERIFY_TOKEN


def challenge(**query: str) -> Any:
    asked = {"mode": "subscribe", "verify_token": VERIFY_TOKEN, "challenge": "<b>1158201444"}
    return Client().get(WHATSAPP, {f"hub.{name}": value for name, value in (asked | query).items()})


META_BODY = as_bytes(with_statuses(STATUS))
