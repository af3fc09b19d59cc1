"""Every error that a provider can answer with has words of its own, and a next step."""

import json

import pytest

from egac import meanings
from egac.error_texts import TEXTS
from egac.explain import explain_error, means
from egac.meanings import ANY, RESEND, WHATSAPP, ZOOM, meaning_of
from egac.providers import resend, whatsapp, zoom
from egac.providers.http import Answer
from egac.retry import Reason

# https://resend.com/docs/api-reference/errors, as of November 2026
NAMES_OF_RESEND = {
    "invalid_idempotency_key",
    "validation_error",
    "missing_api_key",
    "restricted_api_key",
    "invalid_api_key",
    "suspended_api_key",
    "invalid_permission",
    "not_found",
    "method_not_allowed",
    "resource_locked",
    "concurrent_idempotent_requests",
    "invalid_idempotent_request",
    "missing_required_field",
    "invalid_parameter",
    "invalid_attachment",
    "invalid_from_address",
    "rate_limit_exceeded",
    "daily_quota_exceeded",
    "monthly_quota_exceeded",
    "application_error",
    "internal_server_error",
    "service_unavailable",
}
OURS = {"unverified_domain"}  # Resend calls it validation_error, under another status
# Meta's codes in our table of causes, the members of whole ranges aside.
CODES_OF_META = {
    str(code)
    for code in whatsapp.MEANINGS
    if not any(code in codes for codes, _ in meanings.WHATSAPP_RANGES)
}


def answer(status: int, body: object, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps(body).encode())


def test_every_error_of_resend_has_words_and_none_is_left_over() -> None:
    assert set(RESEND) == NAMES_OF_RESEND | OURS
    assert {*resend.CREDENTIALS, *resend.QUOTAS, *resend.CONFLICTS_OF_REPEATS} <= set(RESEND)


def test_every_code_of_meta_has_words_and_none_is_left_over() -> None:
    of_templates = {code for code in WHATSAPP if code.startswith("132")}

    assert set(WHATSAPP) - of_templates == CODES_OF_META
    assert all(int(code) in whatsapp.MEANINGS for code in of_templates)
    assert all(meaning_of("WhatsApp", str(code)) for code in whatsapp.MEANINGS)


def test_every_code_of_zoom_that_we_tell_apart_has_words_and_none_is_left_over() -> None:
    told_apart = {str(zoom.TOKEN_REFUSED), *map(str, zoom.SCOPE_MISSING)}

    assert set(ZOOM) == told_apart | {"429", "token", "other"}


def test_what_any_provider_may_do_has_words_and_none_is_left_over() -> None:
    named = {code for _, code in TEXTS if code} - set(RESEND) - set(ZOOM)
    of_statuses = {"slower", "server_error", "refused_before", "key_refused"}

    assert set(ANY) == named | of_statuses


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, {"error": {"code": 131026, "message": "Undeliverable"}}, "not on WhatsApp"),
        (404, {"error": {"code": 132001, "message": "No template"}}, "approved in Meta's manager"),
        (400, {"error": {"code": 132999, "message": "New one"}}, "refused the template (New one)"),
        (401, {"error": {"code": 190, "message": "Expired"}}, "renew WHATSAPP_TOKEN"),
        (400, {"error": {"code": 777777, "message": "Odd"}}, "The last try failed (Odd)"),
        (502, "<html>", "WhatsApp's answer was cut off, so perhaps it arrived"),
    ],
)
def test_what_meta_answers_is_read_from_the_text_that_the_queue_keeps(
    status: int, body: object, sentence: str
) -> None:
    kept = str(whatsapp._error_of(answer(status, body)))

    assert sentence in explain_error(kept, gave_up=True)


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ("graph.facebook.com did not answer in time.", "WhatsApp did not answer in time"),
        ("api.resend.com could not be reached.", "Resend could not be reached"),
        ("The connection to api.resend.com broke before the answer was whole.", "broke during"),
        ("mail.example did not finish its answer in time.", "The provider did not answer"),
        ("Resend answered 200 with something that is no JSON: <html>", "was cut off"),
        ("Resend answered 502: <html>", "Resend had an error of its own"),
        ("WhatsApp took the message and then failed to send it: 131026 Gone.", "not on WhatsApp"),
        ("Resend took the message and then failed to send it: no reason was given.", "then failed"),
        ("api.zoom.us was not asked: the time of whoever waits is over.", "Zoom was not asked"),
        ("Zoom answered 400 with code 124: Invalid access token.", "refuses our access token"),
        ("Zoom answered 404 with code 3001: No meeting.", "refused the meeting (No meeting)"),
        ("Zoom answered 429: Slow down.", "Zoom asked us to slow down"),
        ("Zoom answered 503: <html>", "Zoom had an error of its own"),
        ("Zoom gives no access token (400): Bad request", "check the ZOOM_ settings"),
        ("Rendering broke: KeyError.", "a developer has to look at it"),
    ],
)
def test_what_happened_on_the_way_is_read_from_the_text_too(kept: str, sentence: str) -> None:
    assert sentence in explain_error(kept, gave_up=True)


@pytest.mark.parametrize(
    ("error", "reason", "what", "then"),
    [
        (
            "Resend answered 422 validation_error: No such mailbox.",
            Reason.PERMANENT,
            "Resend refused the address or the content (No such mailbox).",
            "Correct it there.",
        ),
        (
            "graph.facebook.com did not answer in time.",
            Reason.UNCERTAIN,
            "WhatsApp did not answer in time, so perhaps it arrived.",
            "Ask the recipient or look at the provider's own list, and retry only what did not "
            "arrive.",
        ),
        ("It names no recipient.", Reason.INVALID, "It names no recipient.", "Correct it there."),
        (None, None, "No error was kept.", "Retry when the cause is gone."),
        (
            None,
            Reason.EXHAUSTED,
            "It was given up after its last try.",
            "Retry when the cause is gone.",
        ),
    ],
)
def test_a_cause_is_told_as_what_it_means_and_what_to_do(
    error: str | None, reason: str | None, what: str, then: str
) -> None:
    assert means(error, reason=reason, correct="correct it there") == (what, then)
