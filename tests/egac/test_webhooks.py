"""Resend's webhook and what both share: who is let in, what is refused, each event kept once."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent, Suppression
from egac.webhooks import LARGEST_BODY
from tests.egac.signed import (
    APP_SECRET,
    EVENT,
    KEY,
    META_BODY,
    OTHER_KEY,
    RESEND,
    STATUS,
    VERIFY_TOKEN,
    WHATSAPP,
    as_bytes,
    assert_refused,
    challenge,
    headers_of_meta,
    headers_of_resend,
    post,
    post_to_resend,
    post_to_whatsapp,
    set_secrets,
    with_statuses,
)
from tests.egac.threads import side_by_side


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    set_secrets(settings)


# Resend


@pytest.mark.django_db
def test_keeps_what_resend_tells_and_no_more() -> None:
    answer = post_to_resend()

    event = DeliveryEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "stored": 1})
    assert (event.provider, event.event_id, event.kind) == ("resend", "msg_1", "bounced")
    assert (event.source, event.source_id) == ("notifications_queue", "42")
    assert event.provider_message_id == EVENT["data"]["email_id"]
    assert event.recipient == "amelia@families.example"
    assert (event.code, event.detail) == ("Permanent", "NoEmail: The mailbox does not exist.")
    assert event.occurred_at.isoformat() == "2026-11-21T09:30:00+00:00"
    assert "subject" not in str(DeliveryEvent.objects.values().get())


BODY = as_bytes(EVENT)
Headers = dict[str, str]
UNSIGNED: dict[str, Callable[[Headers], Headers]] = {
    "none": lambda good: {},
    "of WhatsApp": lambda good: headers_of_meta(BODY),
    "no signature": lambda good: {**good, "svix-signature": ""},
    "an empty one": lambda good: {**good, "svix-signature": "v1,"},
    "no ASCII": lambda good: {**good, "svix-signature": "v1,ÿ"},
    "no version": lambda good: {**good, "svix-signature": good["svix-signature"][3:]},
    "version 2": lambda good: headers_of_resend(BODY, tag="v2"),
    "version 1a": lambda good: headers_of_resend(BODY, tag="v1a"),
    "of another id": lambda good: {**good, "svix-id": "msg_2"},
    "of no id": lambda good: {**good, "svix-id": ""},
    "of another time": lambda good: {
        **good,
        "svix-timestamp": str(int(good["svix-timestamp"]) + 1),
    },
    "of no time": lambda good: {**good, "svix-timestamp": ""},
    "of a word": lambda good: {**good, "svix-timestamp": "soon"},
    "of another body": lambda good: headers_of_resend(BODY + b" "),
    "by another key": lambda good: headers_of_resend(BODY, key=OTHER_KEY),
    "by an empty key": lambda good: headers_of_resend(BODY, key=b""),
    "old": lambda good: headers_of_resend(BODY, age=400),
    "of the future": lambda good: headers_of_resend(BODY, age=-400),
}


@pytest.mark.django_db
@pytest.mark.parametrize("which", UNSIGNED)
def test_invariant_21_a_bad_or_old_signature_of_resend_changes_nothing(which: str) -> None:
    headers = UNSIGNED[which](headers_of_resend(BODY))

    assert_refused(post(RESEND, BODY, headers), 401)


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "status"), [(290, 200), (-290, 200), (305, 401), (-310, 401)])
def test_an_event_is_good_for_five_minutes(age: int, status: int) -> None:
    assert post_to_resend(age=age).status_code == status


@pytest.mark.django_db
def test_one_good_signature_among_several_is_enough() -> None:
    headers = headers_of_resend(BODY)
    old = headers_of_resend(BODY, key=OTHER_KEY)["svix-signature"]
    both = {**headers, "svix-signature": f"v2,x {old} {headers['svix-signature']}"}

    assert post(RESEND, BODY, both).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"not json", 400), (b"[]", 400), (b'"text"', 400), (b"{", 400), (b"", 401), (b"\xff", 401)],
)
def test_refuses_a_body_of_resend_that_is_no_json_object(body: bytes, status: int) -> None:
    assert_refused(post_to_resend(body), status)


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_YWJj", "re_an_api_key"])
def test_without_a_signing_secret_the_address_is_closed(settings: Settings, secret: str) -> None:
    settings.RESEND_WEBHOOK_SECRET = secret

    answer = post_to_resend(key=b"")

    assert_refused(answer, 503)
    assert "RESEND_WEBHOOK_SECRET" in answer.json()["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [RESEND, WHATSAPP])
def test_refuses_a_body_that_is_too_large(path: str) -> None:
    body = as_bytes({**EVENT, "filler": "x" * LARGEST_BODY})

    assert_refused(post(path, body, {**headers_of_resend(body), **headers_of_meta(body)}), 413)


@pytest.mark.parametrize(
    ("path", "method"),
    [(RESEND, "get"), (RESEND, "head"), (RESEND, "put"), (WHATSAPP, "head"), (WHATSAPP, "put")],
)
def test_knows_no_other_method(path: str, method: str) -> None:
    assert getattr(Client(), method)(path).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["contact.created", "domain.updated", "email.received", "new", 7])
def test_an_event_of_no_use_is_answered_and_not_kept(kind: Any) -> None:
    answer = post_to_resend({**EVENT, "type": kind})

    assert (answer.status_code, answer.json()["stored"]) == (200, 0)
    assert not DeliveryEvent.objects.exists()


@pytest.mark.django_db
def test_a_session_or_a_csrf_token_is_not_asked_for() -> None:
    body = as_bytes(EVENT)
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(
        RESEND, body, content_type="application/json", headers=headers_of_resend(body)
    )

    assert answer.status_code == 200


# Kept once


@pytest.mark.django_db
def test_invariant_21_an_event_told_twice_is_kept_once() -> None:
    answers = [post_to_resend().json()["stored"] for _ in range(3)]
    statuses = with_statuses(STATUS, STATUS, {**STATUS, "status": "read"})
    answers += [post_to_whatsapp(statuses).json()["stored"] for _ in range(2)]

    assert answers == [1, 0, 0, 2, 0]
    assert DeliveryEvent.objects.count() == 3
    assert Suppression.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_invariant_21_an_event_told_twenty_times_at_once_is_kept_once() -> None:
    answers = side_by_side(20, lambda _: post_to_resend())

    assert [answer.status_code for answer in answers] == [200] * 20
    assert sum(answer.json()["stored"] for answer in answers) == 1
    assert DeliveryEvent.objects.count() == 1
    assert Suppression.objects.count() == 1


@pytest.mark.django_db
def test_invariant_20_no_secret_and_no_body_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="egac")
    caplog.set_level(logging.DEBUG, logger="django.request")

    post_to_resend()
    post_to_resend(key=OTHER_KEY)
    post_to_resend({**EVENT, "type": "email.received"}, event_id="msg_3")
    post_to_whatsapp(META_BODY)
    post_to_whatsapp(META_BODY, key="wrong")
    challenge(verify_token="wrong")

    secrets = (VERIFY_TOKEN, APP_SECRET, base64.b64encode(KEY).decode(), "sha256=", "v1,")
    for private in (*secrets, "amelia@", "A subject", "447700900123"):
        assert private not in caplog.text
    assert "email.received" in caplog.text
