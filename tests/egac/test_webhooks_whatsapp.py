"""WhatsApp's webhook: the challenge, the signature, and several statuses in one body."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent
from tests.egac.signed import (
    META_BODY,
    STATUS,
    WHATSAPP,
    assert_refused,
    challenge,
    headers_of_meta,
    headers_of_resend,
    post,
    post_to_whatsapp,
    set_secrets,
    with_statuses,
)


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    set_secrets(settings)


@pytest.mark.django_db
def test_keeps_every_status_of_a_body() -> None:
    error = {
        "code": 131026,
        "title": "Message undeliverable",
        "error_data": {"details": "The number is not on WhatsApp."},
    }
    failed = {**STATUS, "id": "wamid.2", "status": "failed", "errors": [error]}
    ours = with_statuses(STATUS, failed)
    theirs = with_statuses({**STATUS, "id": "wamid.3", "biz_opaque_callback_data": "other-7"})

    answer = post_to_whatsapp({"entry": [*ours["entry"], *theirs["entry"]]})

    first, second, third = DeliveryEvent.objects.order_by("pk")
    assert answer.json() == {"ok": True, "stored": 3}
    assert (second.kind, second.code) == ("failed", "131026")
    assert second.detail == "Message undeliverable. The number is not on WhatsApp"
    assert (first.kind, first.source_id, first.recipient) == ("delivered", "42", "+447700900123")
    assert first.occurred_at.timestamp() == int(STATUS["timestamp"])
    assert (third.source, third.source_id) == ("", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": headers_of_meta(META_BODY)["X-Hub-Signature-256"][7:]},
        {"X-Hub-Signature": headers_of_meta(META_BODY)["X-Hub-Signature-256"]},
        headers_of_meta(META_BODY, "another"),
        headers_of_meta(META_BODY, ""),
        headers_of_meta(META_BODY + b" "),
        {"X-Hub-Signature-256": "sha256=ÿ"},
        headers_of_resend(META_BODY),
    ],
)
def test_invariant_21_a_bad_signature_of_whatsapp_changes_nothing(headers: dict[str, str]) -> None:
    assert_refused(post(WHATSAPP, META_BODY, headers), 401)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"not json", b"[]", b"", b"\xff"])
def test_refuses_a_body_of_whatsapp_that_is_no_json_object(body: bytes) -> None:
    assert_refused(post_to_whatsapp(body), 400)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entry": 7},
        {"entry": [None, {"changes": {}}, {"changes": [{"value": []}]}]},
        with_statuses(None, {}, {**STATUS, "timestamp": "soon"}, {**STATUS, "timestamp": "9" * 40}),
        with_statuses({**STATUS, "status": "deleted"}, {**STATUS, "id": 7}),
        {"entry": [{"changes": [{"value": {"messages": [{"text": {"body": "Hello"}}]}}]}]},
    ],
)
def test_what_whatsapp_tells_besides_is_answered_and_not_kept(body: Any) -> None:
    answer = post_to_whatsapp(body)

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "stored": 0})
    assert not DeliveryEvent.objects.exists()


@pytest.mark.django_db
def test_without_the_app_secret_nothing_is_taken(settings: Settings) -> None:
    settings.WHATSAPP_APP_SECRET = ""

    assert_refused(post_to_whatsapp(META_BODY, key=""), 503)


def test_echoes_the_challenge_as_text() -> None:
    answer = challenge()

    assert (answer.status_code, answer.content) == (200, b"<b>1158201444")
    assert answer["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "query", [{"verify_token": "wrong"}, {"verify_token": ""}, {"mode": "unsubscribe"}]
)
def test_echoes_nothing_to_others(query: dict[str, str]) -> None:
    answer = challenge(**query)

    assert answer.status_code == 403
    assert b"1158201444" not in answer.content


def test_without_a_verify_token_there_is_no_challenge(settings: Settings) -> None:
    settings.WHATSAPP_VERIFY_TOKEN = ""

    assert challenge(verify_token="").status_code == 503
