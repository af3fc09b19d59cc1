"""Each way in which Resend refuses or breaks, as the one error that it means."""

import json
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from egac.providers import Cause, NotConfigured, ProviderError
from egac.providers.http import Answer as HttpAnswer
from egac.providers.resend import EMAIL, rate_in, require_configured, send, told_rate
from tests.providers.client import MAIL
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer
from tests.providers.wire import Answer, json_answer


def error_after(provider: ProviderServer, fault: Fault) -> ProviderError:
    provider.resend.faults = always(fault)
    with pytest.raises(ProviderError) as caught:
        send(MAIL, "key-1")
    return caught.value


def named(status: int, name: str) -> Fault:
    return Fault.error(status, name, "In its own words.")


def raw(status: int, body: bytes, content_type: str = "application/json") -> Fault:
    return Fault(f"{status} {body[:20]!r}", answer=Answer(status, body, content_type))


@pytest.mark.parametrize(
    ("fault", "cause", "permanent", "code"),
    [
        (Fault.rate_limited(), Cause.RATE_LIMIT, False, "rate_limit_exceeded"),
        (Fault.daily_quota(), Cause.DAILY_QUOTA, False, "daily_quota_exceeded"),
        (Fault.monthly_quota(), Cause.MONTHLY_QUOTA, False, "monthly_quota_exceeded"),
        (raw(429, b"slow down", "text/plain"), Cause.RATE_LIMIT, False, "http_429"),
        (named(401, "missing_api_key"), Cause.CREDENTIALS, False, "missing_api_key"),
        (named(401, "restricted_api_key"), Cause.CREDENTIALS, False, "restricted_api_key"),
        (named(403, "invalid_api_key"), Cause.CREDENTIALS, False, "invalid_api_key"),
        (named(403, "suspended_api_key"), Cause.CREDENTIALS, False, "suspended_api_key"),
        (named(403, "validation_error"), Cause.CREDENTIALS, False, "validation_error"),
        (named(422, "validation_error"), Cause.MESSAGE, True, "validation_error"),
        (named(422, "missing_required_field"), Cause.MESSAGE, True, "missing_required_field"),
        (named(400, "invalid_idempotency_key"), Cause.MESSAGE, True, "invalid_idempotency_key"),
        (named(404, "not_found"), Cause.MESSAGE, True, "not_found"),
        (
            named(409, "invalid_idempotent_request"),
            Cause.KEY_IS_TAKEN,
            True,
            "invalid_idempotent_request",
        ),
        (
            named(409, "concurrent_idempotent_requests"),
            Cause.UNKNOWN,
            False,
            "concurrent_idempotent_requests",
        ),
        (named(409, "resource_locked"), Cause.UNKNOWN, False, "resource_locked"),
        (Fault.server_error(), Cause.UNAVAILABLE, False, "application_error"),
        (Fault.unavailable(), Cause.UNAVAILABLE, False, "service_unavailable"),
        (Fault.html_502(), Cause.UNAVAILABLE, False, "http_502"),
        (raw(500, b""), Cause.UNAVAILABLE, False, "http_500"),
        (raw(500, b"[]"), Cause.UNAVAILABLE, False, "http_500"),
        (raw(500, b'{"statusCode": "x"}'), Cause.UNAVAILABLE, False, "http_500"),
        (raw(404, b"<html>not here", "text/html"), Cause.UNAVAILABLE, False, "http_404"),
        (raw(408, b"", "text/plain"), Cause.UNAVAILABLE, False, "http_408"),
        (Fault.redirect(), Cause.UNAVAILABLE, False, "http_302"),
        (raw(302, b'{"moved": true}'), Cause.UNAVAILABLE, False, "http_302"),
        (Fault.not_json(), Cause.UNKNOWN, False, "half_an_answer"),
        (Fault.wrong_json(), Cause.UNKNOWN, False, "half_an_answer"),
        (Fault.half_an_answer(), Cause.UNKNOWN, False, "half_an_answer"),
        (raw(200, b""), Cause.UNKNOWN, False, "half_an_answer"),
        (raw(200, b"{}"), Cause.UNKNOWN, False, "half_an_answer"),
        (raw(200, b'{"id": 7}'), Cause.UNKNOWN, False, "half_an_answer"),
        (raw(200, b'{"statusCode": "x"}'), Cause.UNKNOWN, False, "half_an_answer"),
        (Fault.reset_before_accepting(), Cause.UNKNOWN, False, "connection_broken"),
        (Fault.reset_after_accepting(), Cause.UNKNOWN, False, "connection_broken"),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_tells_what_a_fault_means(
    provider: ProviderServer, fault: Fault, cause: Cause, permanent: bool, code: str
) -> None:
    error = error_after(provider, fault)

    assert (error.cause, error.permanent, error.code) == (cause, permanent, code)
    assert str(error).count("\n") == 0


@pytest.mark.parametrize("fault", [Fault.hang(5), Fault.drip(seconds_a_byte=0.1)])
def test_a_time_out_may_have_been_accepted(
    provider: ProviderServer, settings: Settings, fault: Fault
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3

    error = error_after(provider, fault)

    assert (error.cause, error.code) == (Cause.UNKNOWN, "timeout")


def test_a_refused_connection_was_not_accepted(settings: Settings) -> None:
    settings.RESEND_API_URL = "http://127.0.0.1:9"

    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:9 could not be reached") as caught:
        send(MAIL, "key-1")

    assert caught.value.cause is Cause.UNAVAILABLE


@pytest.mark.parametrize(("retry_after", "seconds"), [(3, 3.0), (None, None)])
def test_tells_when_to_come_back(
    provider: ProviderServer, retry_after: int | None, seconds: float | None
) -> None:
    error = error_after(provider, Fault.rate_limited(retry_after=retry_after))

    assert error.retry_after == seconds


def test_tells_the_status_the_name_and_the_words(provider: ProviderServer) -> None:
    error = error_after(provider, named(422, "validation_error"))

    assert str(error) == "Resend answered 422 validation_error: In its own words."


def test_tells_no_key_although_the_provider_repeats_it(provider: ProviderServer) -> None:
    words = {"name": "invalid_api_key", "message": "re_for_tests is\0 no key"}
    fault = Fault("repeats the key", answer=json_answer(403, words))

    error = error_after(provider, fault)

    assert str(error) == "Resend answered 403 invalid_api_key: [redacted] is no key"


def test_returns_the_id_of_an_accepted_message(provider: ProviderServer) -> None:
    sent_as = send(MAIL, "key-1")

    [accepted] = provider.resend.accepted
    assert (accepted.id, accepted.key, accepted.payload) == (sent_as, "key-1", MAIL)


def test_sends_the_same_bytes_every_time(provider: ProviderServer) -> None:
    message = {**MAIL, "subject": "Zoë ✓ 王小明"}

    first, again = send(message, "key-1"), send(json.loads(json.dumps(message)), "key-1")

    assert first == again
    assert len({call.body for call in provider.resend.calls}) == 1
    assert len(provider.resend.accepted) == 1


def test_uses_the_key_and_the_address_of_today(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_API_KEY = "re_another"

    send(MAIL, "key-1")

    [call] = provider.resend.calls
    assert call.headers["authorization"] == "Bearer re_another"
    assert call.path == "/emails"


@pytest.mark.parametrize("name", ["RESEND_API_KEY", "RESEND_FROM"])
def test_names_what_is_not_configured(settings: Settings, name: str) -> None:
    setattr(settings, name, "")

    with pytest.raises(NotConfigured, match=f"set {name} in the environment"):
        require_configured()


def test_a_repeat_is_protected_for_a_day_less_the_while_from_its_claim_to_its_call() -> None:
    assert timedelta(hours=23, minutes=50) < EMAIL.key_protects < timedelta(hours=24)


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"ratelimit-limit": "5"}, 5),
        ({"ratelimit-limit": "0.5", "ratelimit-reset": "1"}, 0.5),
        ({"ratelimit-limit": "100", "ratelimit-reset": "60"}, None),  # of a minute
        ({"ratelimit-limit": "5", "ratelimit-reset": "soon"}, None),
        ({"ratelimit-limit": "many"}, None),
        ({"ratelimit-limit": "0"}, None),
        ({"ratelimit-limit": "-1"}, None),
        ({"ratelimit-limit": "inf"}, None),
        ({"ratelimit-limit": "nan"}, None),
        ({}, None),
    ],
)
def test_reads_how_many_calls_a_second_are_allowed(
    headers: dict[str, str], rate: float | None
) -> None:
    assert rate_in(HttpAnswer(200, headers, b"")) == rate


def test_an_answer_without_a_rate_repeats_none_of_an_earlier_one(
    provider: ProviderServer, settings: Settings
) -> None:
    send(MAIL, "key-1")
    told = told_rate()
    settings.RESEND_API_URL = "http://127.0.0.1:9"

    with pytest.raises(ProviderError):
        send(MAIL, "key-2")

    assert (told, told_rate()) == (1000, None)
