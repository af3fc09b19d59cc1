"""Every way to fail, and the gate that holds a call open."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.providers.client import MAIL, eventually, mail_to, post, statuses
from tests.providers.faults import Fault, always, every, fail_next, first_of, for_address
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer


@pytest.mark.parametrize(
    ("fault", "status", "name", "accepted"),
    [
        (Fault.error(422, "validation_error", "No."), 422, "validation_error", 0),
        (Fault.rate_limited(retry_after=3), 429, "rate_limit_exceeded", 0),
        (Fault.daily_quota(), 429, "daily_quota_exceeded", 0),
        (Fault.monthly_quota(), 429, "monthly_quota_exceeded", 0),
        (Fault.server_error(), 500, "application_error", 0),
        (Fault.server_error().after_accepting(), 500, "application_error", 1),
        (Fault.unavailable(), 503, "service_unavailable", 0),
    ],
)
def test_a_fault_answers_in_the_providers_words(server, fault, status, name, accepted):
    server.resend.faults = always(fault)

    answer = post(server)

    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert len(server.resend.accepted) == accepted
    assert (server.resend.calls[0].status, server.resend.calls[0].name) == (status, name)


@pytest.mark.parametrize(("seconds", "header"), [(3, "3"), (None, None)])
def test_a_rate_limit_names_its_wait_or_not(server, seconds, header):
    server.resend.faults = always(Fault.rate_limited(retry_after=seconds))

    assert post(server).headers.get("retry-after") == header


@pytest.mark.parametrize(
    ("fault", "status", "start", "accepted"),
    [
        (Fault.html_502(), 502, "<html>", 0),
        (Fault.wrong_json(), 200, "[", 1),
        (Fault.wrong_json().before_accepting(), 200, "[", 0),
        (Fault.not_json(), 200, "OK", 1),
        (Fault.redirect(), 302, "", 0),
        (Fault.late(0.1), 200, "{", 1),
        (Fault.drip(seconds_a_byte=0.005), 200, "{", 1),
    ],
)
def test_a_fault_answers_strangely(server, fault, status, start, accepted):
    server.resend.faults = always(fault)

    answer = post(server)

    assert (answer.status_code, answer.text[: len(start)]) == (status, start)
    assert len(server.resend.accepted) == accepted


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        (Fault.hang(0.1), 0),
        (Fault.hang_after_accepting(0.1), 1),
        (Fault.reset_before_accepting(), 0),
        (Fault.reset_after_accepting(), 1),
        (Fault.half_an_answer(), 1),
    ],
)
def test_a_broken_answer_leaves_its_outcome_in_doubt(server, fault, accepted):
    server.resend.faults = fail_next(fault)

    with pytest.raises(requests.RequestException):
        post(server, key="k")

    assert len(server.resend.accepted) == accepted
    assert post(server, key="k").status_code == 200
    assert len(server.resend.accepted) == 1


@pytest.mark.parametrize("fault", [Fault.hang(60), Fault.late(60)])
def test_a_client_that_gives_up_leaves_its_key_free(server, fault):
    server.resend.faults = fail_next(fault)
    with pytest.raises(requests.Timeout):
        post(server, key="k", timeout=0.2)

    assert eventually(lambda: post(server, key="k").status_code == 200)

    assert len(server.resend.accepted) == 1
    assert server.resend.calls[0].status is None


def test_a_drip_outlasts_every_read_timeout(server):
    server.resend.faults = always(Fault.drip(seconds_a_byte=0.02))
    started = time.monotonic()

    answer = post(server, timeout=0.3)

    assert answer.json()["id"] == server.resend.accepted[0].id
    assert time.monotonic() - started > 0.6


@pytest.mark.parametrize("fault", [Fault.reset_before_accepting(), Fault.reset_after_accepting()])
def test_a_reset_is_a_reset_and_no_mere_end(server, fault):
    server.resend.faults = always(fault)

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        post(server)


def test_nobody_talks_to_a_stopped_server():
    with requests.Session() as client:
        with ProviderServer() as server:
            client.get(f"{server.url}/inbox", timeout=5)

        with pytest.raises(requests.ConnectionError):
            client.get(f"{server.url}/inbox", timeout=5)


def test_a_hang_ends_when_the_server_stops():
    server = ProviderServer()
    server.start()
    server.resend.faults = always(Fault.hang(60))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(post, server, timeout=30)
        assert eventually(lambda: len(server.resend.calls) == 1)
        started = time.monotonic()

        server.stop()

        assert isinstance(hanging.exception(), requests.ConnectionError)
    assert time.monotonic() - started < 30


def test_a_reset_of_the_server_ends_what_hangs(server):
    server.resend.faults = always(Fault.hang(60))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(post, server, timeout=30)
        assert eventually(lambda: len(server.resend.calls) == 1)

        server.reset()

        assert isinstance(hanging.exception(timeout=2), requests.ConnectionError)
    assert server.resend.calls == []


def test_strikes_every_third_and_every_fifth_call(server):
    server.resend.faults = first_of(every(3, Fault.server_error()), every(5, Fault.rate_limited()))

    assert statuses(server, 6) == [200, 200, 500, 200, 429, 500]


def test_strikes_the_next_calls_in_their_order(server):
    server.resend.faults = fail_next(Fault.unavailable(), None, Fault.server_error())

    assert statuses(server, 4) == [503, 200, 500, 200]


def test_strikes_every_call_to_one_address_batches_too(server):
    server.resend.faults = for_address("Ben@families.example", Fault.server_error())
    ben = mail_to("Ben <ben@families.example>")

    assert post(server, ben).status_code == 500
    assert post(server, [MAIL, ben], path="/emails/batch").status_code == 500
    assert post(server).status_code == 200


def test_latency_delays_every_answer(server):
    server.resend.latency = 0.2
    started = time.monotonic()

    post(server)

    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("gate", "taken"), [(Gate.before_accepting, 0), (Gate.after_accepting, 1)])
def test_a_gate_holds_a_call_whose_sender_dies(server, gate, taken):
    server.resend.gate = gate()
    with pytest.raises(requests.Timeout):
        post(server, key="k", timeout=0.2)
    server.resend.gate.wait_for_arrival()
    assert len(server.resend.accepted) == taken

    server.resend.gate.let_go()

    assert eventually(lambda: server.resend.calls[0].finished_at is not None)
    assert (len(server.resend.accepted), server.resend.calls[0].status) == (1, None)


def test_a_key_is_in_use_while_its_call_is_held(server):
    gate = server.resend.gate = Gate.after_accepting()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(post, server, key="k")
        gate.wait_for_arrival()
        server.resend.gate = None

        answer = post(server, key="k")

        gate.let_go()
    assert answer.json()["name"] == "concurrent_idempotent_requests"
    assert held.result().json()["id"] == post(server, key="k").json()["id"]


def test_a_gate_lets_the_calls_before_its_first_pass(server):
    server.resend.gate = Gate.before_accepting(from_call=3)

    assert statuses(server, 2) == [200, 200]
    with pytest.raises(requests.Timeout):
        post(server, timeout=0.2)


def test_says_how_many_calls_did_not_reach_the_gate():
    gate = Gate.before_accepting()

    with pytest.raises(TimeoutError, match="0 of 1 calls arrived within 0.01 s"):
        gate.wait_for_arrival(timeout=0.01)


def test_a_call_held_over_a_reset_stays_out_of_the_new_ledger(server):
    server.resend.gate = Gate.before_accepting()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(post, server)
        server.resend.gate.wait_for_arrival()

        server.reset()

        late.exception(timeout=5)
    assert (server.resend.calls, server.resend.accepted) == ([], [])
