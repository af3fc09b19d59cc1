"""WhatsApp: the message as Meta takes it, and what each of its answers means."""

import socket
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from egac import channels
from egac.providers import Cause, NotConfigured, ProviderError
from egac.providers.whatsapp import (
    WHATSAPP,
    missing_settings,
    require_configured,
    send,
    template_message,
)
from egac.retry import Reason, State, judge
from egac.slots import grant
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer
from tests.providers.whatsapp import whatsapp_error
from tests.providers.wire import Answer, json_answer

FRESH = State(attempts=0, limit=5, protected=False)
AS_META_TAKES_IT = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+447700900123",
    "type": "template",
    "template": {
        "name": "reminder",
        "language": {"policy": "deterministic", "code": "en_GB"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Ana"},
                    {"type": "text", "text": "9 a.m."},
                ],
            }
        ],
    },
    "biz_opaque_callback_data": "row-7",
}


def message(**changes: Any) -> dict[str, Any]:
    """Return a reminder to Ana; `changes` are arguments of template_message."""
    plain = {"to": "+447700900123", "template": "reminder", "language": "en_GB"}
    return template_message(**{**plain, "variables": ["Ana"], "tag": "row-7", **changes})


def error_after(provider: ProviderServer, fault: Fault) -> ProviderError:
    provider.whatsapp.faults = always(fault)
    with pytest.raises(ProviderError) as caught:
        send(message(), "key-1")
    return caught.value


def raw(status: int, body: bytes, content_type: str = "application/json") -> Fault:
    return Fault(f"{status} {body[:20]!r}", answer=Answer(status, body, content_type))


def test_sends_a_template_in_its_own_language_and_names_the_row(provider: ProviderServer) -> None:
    wamid = send(message(variables=["Ana", "9 a.m."]), "key-1")

    [accepted] = provider.whatsapp.accepted
    assert (accepted.id, wamid[:6]) == (wamid, "wamid.")
    assert accepted.payload == AS_META_TAKES_IT


def test_says_who_calls_and_whose_number_it_is(provider: ProviderServer) -> None:
    send(message(), "key-1")

    [call] = provider.whatsapp.calls
    assert call.path == "/v23.0/106540352242922/messages"
    assert call.headers["authorization"] == "Bearer token_for_tests"
    assert call.headers["user-agent"] == "egac-ops/1.0.0"


def test_a_template_without_variables_has_no_components(provider: ProviderServer) -> None:
    send(message(variables=[]), "key-1")

    assert "components" not in provider.whatsapp.accepted[0].payload["template"]


def test_a_variable_stands_on_one_line(provider: ProviderServer) -> None:
    send(message(variables=["Ana\nand\tBen      Hart"]), "key-1")

    [body] = provider.whatsapp.accepted[0].payload["template"]["components"]
    assert body["parameters"] == [{"type": "text", "text": "Ana and Ben Hart"}]


def test_nothing_protects_a_repeat(provider: ProviderServer) -> None:
    send(message(), "key-1")
    send(message(), "key-1")

    assert WHATSAPP.key_protects == timedelta(0)
    rows = [each.payload["biz_opaque_callback_data"] for each in provider.whatsapp.accepted]
    assert rows == ["row-7", "row-7"]


STOPPED = [0, 3, 10, 190, 200, 250, 299, 368, 131031, 131042, 131048, 131005, 131045, 133010]
REFUSED = [33, 100, 130497, 131008, 131009, 131021, 131026, 131047]
TEMPLATES = [132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018]


@pytest.mark.parametrize(
    ("code", "cause", "permanent", "retry_after"),
    [
        (130429, Cause.RATE_LIMIT, False, None),
        (4, Cause.RATE_LIMIT, False, 60),
        (80007, Cause.RATE_LIMIT, False, 60),
        (131056, Cause.RECIPIENT_LIMIT, False, None),
        (131049, Cause.RECIPIENT_LIMIT, False, 86_400),
        *((code, Cause.UNAVAILABLE, False, None) for code in (1, 2, 131000, 131016, 131057)),
        *((code, Cause.CREDENTIALS, False, None) for code in STOPPED),
        *((code, Cause.MESSAGE, True, None) for code in REFUSED + TEMPLATES),
        (131030, Cause.MESSAGE, False, None),  # a code that we do not know
    ],
)
@pytest.mark.parametrize("status", [400, 403, 429])
def test_decides_on_the_code(
    provider: ProviderServer,
    code: int,
    cause: Cause,
    permanent: bool,
    retry_after: float | None,
    status: int,
) -> None:
    error = error_after(provider, whatsapp_error(code, "In its own words.", status=status))

    assert (error.cause, error.permanent, error.code) == (cause, permanent, str(code))
    assert error.retry_after == retry_after
    assert provider.whatsapp.accepted == []


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        (190, 500, Cause.CREDENTIALS),
        (132001, 500, Cause.MESSAGE),
        (130429, 500, Cause.RATE_LIMIT),
        (139999, 500, Cause.UNAVAILABLE),  # where the code says nothing the status has to
        (139999, 400, Cause.MESSAGE),
    ],
)
def test_the_status_decides_only_what_no_known_code_does(
    provider: ProviderServer, code: int, status: int, cause: Cause
) -> None:
    assert error_after(provider, whatsapp_error(code, "No.", status=status)).cause is cause


def test_the_answers_own_wait_wins(provider: ProviderServer) -> None:
    error = error_after(provider, whatsapp_error(4, "Slower.", retry_after="7"))

    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("fault", "cause", "code"),
    [
        (Fault.hang(5), Cause.UNKNOWN, "timeout"),
        (Fault.hang_after_accepting(5), Cause.UNKNOWN, "timeout"),
        (Fault.reset_before_accepting(), Cause.UNKNOWN, "connection_broken"),
        (Fault.reset_after_accepting(), Cause.UNKNOWN, "connection_broken"),
        (Fault.half_an_answer(), Cause.UNKNOWN, "half_an_answer"),
        (Fault.wrong_json(), Cause.UNKNOWN, "half_an_answer"),
        (Fault.not_json(), Cause.UNKNOWN, "half_an_answer"),
        (raw(200, b'{"messages": []}'), Cause.UNKNOWN, "half_an_answer"),
        (raw(200, b'{"messages": [{"id": ""}]}'), Cause.UNKNOWN, "half_an_answer"),
        (raw(200, b'{"messages": [{"id": 7}]}'), Cause.UNKNOWN, "half_an_answer"),
        (raw(200, b'{"messages": {"id": "x"}}'), Cause.UNKNOWN, "half_an_answer"),
        (Fault.html_502(), Cause.UNKNOWN, "http_502"),
        (raw(504, b"", "text/plain"), Cause.UNKNOWN, "http_504"),
        (raw(500, b'{"message": "Internal server error"}'), Cause.UNKNOWN, "http_500"),
        (raw(500, b'{"error": "upstream"}'), Cause.UNKNOWN, "http_500"),
        (raw(500, b'{"error": {"code": "190"}}'), Cause.UNKNOWN, "http_500"),
        (raw(400, b'{"error": {"code": true}}'), Cause.UNKNOWN, "http_400"),
        (raw(403, b"<html>", "text/html"), Cause.UNKNOWN, "http_403"),
        (Fault.redirect(), Cause.UNKNOWN, "http_302"),
        (raw(302, b'{"messages": [{"id": "wamid.1"}]}'), Cause.UNKNOWN, "http_302"),
        (Fault.rate_limited(retry_after=3), Cause.RATE_LIMIT, "130429"),
        (Fault.server_error(), Cause.UNAVAILABLE, "131000"),
        (Fault.unavailable(), Cause.UNAVAILABLE, "131016"),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_only_metas_own_error_is_a_refusal(
    provider: ProviderServer, settings: Settings, fault: Fault, cause: Cause, code: str
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.5

    error = error_after(provider, fault)

    assert (error.cause, error.permanent, error.code) == (cause, False, code)
    verdict = judge(error, FRESH)
    assert (verdict.reason is Reason.UNCERTAIN) == (cause is Cause.UNKNOWN)


def test_a_refused_connection_sent_nothing(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.WHATSAPP_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}/v23.0"

    with pytest.raises(ProviderError) as caught:
        send(message(), "key-1")

    assert (caught.value.cause, caught.value.code) == (Cause.UNAVAILABLE, "unreachable")


def test_the_message_names_status_code_and_details_and_no_token(provider: ProviderServer) -> None:
    error = {"message": "(#100) Invalid token_for_tests.", "code": 100}
    told = {"error": {**error, "error_data": {"details": "The number has no +."}}}

    text = str(error_after(provider, Fault("details", answer=json_answer(400, told))))

    assert text == (
        "WhatsApp answered 400 with code 100: (#100) Invalid [redacted]. The number has no +"
    )


@pytest.mark.parametrize("code", [131049, 131056])
def test_a_recipients_limit_costs_no_attempt_and_waits(provider: ProviderServer, code: int) -> None:
    error = error_after(provider, whatsapp_error(code, "Too many to this user."))

    verdict = judge(error, State(attempts=4, limit=5, protected=False))

    assert (verdict.reason, verdict.counts) == (None, False)
    assert verdict.delay == max(timedelta(minutes=1), timedelta(seconds=error.retry_after or 0))


@pytest.mark.django_db
def test_a_recipients_limit_leaves_the_channel_open() -> None:
    channels.named("whatsapp")
    limited = ProviderError("Too many to this user.", cause=Cause.RECIPIENT_LIMIT)

    channels.note("whatsapp", [limited] * (channels.BREAKER_AFTER + 1))

    assert not limited.cause.closes_the_channel
    assert channels.why_closed("whatsapp") == ""
    assert grant("whatsapp", count=3) is not None


@pytest.mark.parametrize("name", ["WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID"])
def test_says_which_setting_is_missing(settings: Settings, name: str) -> None:
    require_configured()
    setattr(settings, name, "")

    with pytest.raises(NotConfigured, match=f"set {name} in .* or WHATSAPP_DRY_RUN=1"):
        require_configured()

    assert missing_settings() == [name]
