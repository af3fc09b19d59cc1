"""The one door to the network: what each way to fail is told as, and that it always ends."""

import socket
import ssl
import time

import pytest
from pytest_django.fixtures import Settings

from egac.providers import Cause, ProviderError
from egac.providers.http import LARGEST_ANSWER, LONGEST_WAIT, Answer, call, calls_ended_within
from tests.providers.faults import Fault, always, fail_next
from tests.providers.server import ProviderServer
from tests.providers.wire import Answer as Bytes

HEADERS = {"Authorization": "Bearer re_for_tests", "Content-Type": "application/json"}
BODY = b'{"from":"a@club.example","to":["b@club.example"],"subject":"s","text":"t"}'


def post(server: ProviderServer) -> Answer:
    return call("POST", f"{server.url}/emails", headers=HEADERS, body=BODY)


def refusal_of(url: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call("POST", url, headers=HEADERS, body=BODY)
    return caught.value


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_returns_an_answer_whatever_its_status(provider: ProviderServer) -> None:
    provider.resend.faults = fail_next(None, Fault.rate_limited(retry_after=3), Fault.html_502())

    good, limited, html = (post(provider) for _ in range(3))

    assert (good.status, limited.status, html.status) == (200, 429, 502)
    assert good.json() == {"id": provider.resend.accepted[0].id}
    assert limited.retry_after == 3
    assert html.json() is None
    assert html.start.startswith("<html>")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.hang(5), "timeout"),
        (Fault.hang_after_accepting(5), "timeout"),
        (Fault.late(5), "timeout"),
        (Fault.reset_before_accepting(), "connection_broken"),
        (Fault.reset_after_accepting(), "connection_broken"),
        (Fault.drip(seconds_a_byte=0.1), "timeout"),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_what_may_have_arrived_is_unknown(
    provider: ProviderServer, settings: Settings, fault: Fault, code: str
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    provider.resend.faults = always(fault)

    error = refusal_of(f"{provider.url}/emails")

    assert (error.cause, error.code, error.permanent) == (Cause.UNKNOWN, code, False)
    assert f"127.0.0.1:{provider.port}" in str(error)


def test_a_dripping_answer_ends_by_the_deadline(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.5
    provider.resend.faults = always(Fault.drip(seconds_a_byte=0.1))  # 4.6 seconds in all
    began = time.monotonic()

    refusal_of(f"{provider.url}/emails")

    assert 0.5 <= time.monotonic() - began < 2


def test_a_call_is_cut_short_where_somebody_waits(provider: ProviderServer) -> None:
    provider.resend.faults = fail_next(Fault.hang(5))

    with calls_ended_within(1.2):
        cut_short = refusal_of(f"{provider.url}/emails")
        too_late = refusal_of(f"{provider.url}/emails")

    assert (cut_short.cause, cut_short.code) == (Cause.UNKNOWN, "timeout")
    assert (too_late.cause, too_late.code) == (Cause.UNAVAILABLE, "too_late")
    assert len(provider.resend.calls) == 1
    assert post(provider).status == 200


def test_an_endless_answer_is_cut_off(provider: ProviderServer) -> None:
    endless = Fault("endless", accepts=True, answer=Bytes(200, b"x" * (3 * LARGEST_ANSWER)))
    provider.resend.faults = always(endless)

    assert refusal_of(f"{provider.url}/emails").cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{closed}/emails",
        "http://no-such-host.invalid/emails",
        "no-scheme.example/emails",
        "http:///emails",
        "ftp://club.example/emails",
    ],
)
def test_what_never_left_is_unavailable(url: str) -> None:
    error = refusal_of(url.format(closed=closed_port()))

    assert (error.cause, error.code) == (Cause.UNAVAILABLE, "unreachable")
    assert "could not be reached" in str(error)


def test_a_certificate_that_is_not_trusted_stops_the_call_before_it_is_sent(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise ssl.SSLCertVerificationError("self-signed certificate")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", refuse)

    error = refusal_of(f"https://127.0.0.1:{provider.port}/emails")

    assert error.cause is Cause.UNAVAILABLE


def test_no_message_names_a_secret(settings: Settings) -> None:
    settings.RESEND_API_KEY = "re_for_tests"
    error = refusal_of(f"http://user:pass-word@127.0.0.1:{closed_port()}/emails?secret=abc")

    assert str(error).startswith("127.0.0.1:")
    for secret in ("pass-word", "re_for_tests", "abc"):
        assert secret not in str(error)


def test_an_error_hides_a_key_that_the_provider_repeats(settings: Settings) -> None:
    settings.RESEND_API_KEY = "re_for_tests"

    error = ProviderError("The key re_for_tests is invalid.")

    assert str(error) == "The key [redacted] is invalid."


def test_follows_no_redirect(provider: ProviderServer) -> None:
    provider.resend.faults = always(Fault.redirect("/emails/elsewhere"))

    answer = post(provider)

    assert answer.status == 302
    assert [call.path for call in provider.resend.calls] == ["/emails"]


def test_keeps_a_connection_for_the_next_call(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(provider)  # so that one is open
    monkeypatch.setattr(socket.socket, "connect", no_new_connection)

    assert [post(provider).status for _ in range(3)] == [200, 200, 200]


def no_new_connection(*_args: object) -> None:
    raise OSError("a new connection")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, LONGEST_WAIT),
        ({"retry-after": "1e300"}, LONGEST_WAIT),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "Sat, 21 Nov 2026 12:02:00 GMT"}, None),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 12:02:00 GMT",
                "date": "Sat, 21 Nov 2026 12:00:00 GMT",
            },
            120,
        ),
    ],
)
def test_reads_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert Answer(429, headers, b"").retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"<html>"])
def test_a_body_that_is_no_json_is_none(body: bytes) -> None:
    assert Answer(200, {}, body).json() is None


def test_shows_the_start_of_an_answer_on_one_line() -> None:
    assert Answer(500, {}, b"one\r\n two\t\xff" + b"x" * 500).start.startswith("one two \ufffdxx")
    assert len(Answer(500, {}, b"x" * 500).start) == 200
