"""The stand-in for Resend is the judge of the other tests, so it is judged first."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.providers.client import BAD, MAIL, eventually, get, post, statuses
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer


@pytest.fixture(scope="module")
def running():
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.mark.parametrize(
    ("token", "status", "name"),
    [
        (None, 401, "missing_api_key"),
        ("sk_other", 403, "invalid_api_key"),
        ("re_revoked", 403, "invalid_api_key"),
    ],
)
def test_turns_a_bad_api_key_away(server, token, status, name):
    server.resend.bad_keys = {"re_revoked"}

    answer = post(server, token=token)

    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert server.resend.accepted == []


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"from": ""}, "missing_required_field", "`from`"),
        ({"to": []}, "missing_required_field", "`to`"),
        ({"subject": None}, "missing_required_field", "`subject`"),
        ({"from": "Club"}, "invalid_from_address", "`from`"),
        ({"to": ["ana@localhost"]}, "validation_error", "`to`"),
        ({"cc": "Ana <ana>"}, "validation_error", "`cc`"),
        ({"to": ["ana@families.example"] * 51}, "validation_error", "50"),
        ({"to": "ana@example.com"}, "validation_error", "example.com"),
        ({"subject": "a\nBcc: b@c.example"}, "validation_error", "`subject`"),
        ({"text": ""}, "validation_error", "`html` or `text`"),
        ({"tags": [{"name": "row", "value": "a b"}]}, "validation_error", "Tags"),
    ],
)
def test_refuses_what_the_real_one_refuses(server, change, name, words):
    answer = post(server, {**MAIL, **change})

    assert (answer.status_code, answer.json()["name"]) == (422, name)
    assert words in answer.json()["message"]
    assert server.resend.accepted == []


@pytest.mark.parametrize("length", [0, 257])
def test_refuses_a_key_of_the_wrong_length(server, length):
    answer = post(server, key="k" * length)

    assert (answer.status_code, answer.json()["name"]) == (400, "invalid_idempotency_key")


def test_answers_a_repeated_call_as_before_and_accepts_it_once(server):
    first, again = post(server, key="k" * 256), post(server, key="k" * 256)

    assert first.json() == again.json()
    assert [message.id for message in server.resend.accepted] == [first.json()["id"]]


def test_refuses_another_payload_under_a_used_key(server):
    post(server, key="k")

    answer = post(server, {**MAIL, "subject": "Other"}, key="k")

    assert (answer.status_code, answer.json()["name"]) == (409, "invalid_idempotent_request")


def test_a_failed_call_does_not_use_up_its_key(server):
    server.resend.faults = fail_next(Fault.server_error())

    results = [post(server, BAD, key="k").status_code for _ in range(2)] + statuses(
        server, 1, key="k"
    )

    assert results == [500, 422, 200]


def test_a_forgotten_key_protects_no_longer(server):
    post(server, key="k")

    server.resend.forget_keys()
    post(server, key="k")

    assert len(server.resend.accepted) == 2


def test_twenty_threads_with_one_key_are_accepted_once(server):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(server, key="k"), range(20)))

    [message] = server.resend.accepted
    assert {a.json().get("id") or a.json()["name"] for a in answers} <= {
        message.id,
        "concurrent_idempotent_requests",
    }


def test_says_its_rate_and_enforces_it(server):
    server.resend.rate_limit = 2

    answers = [post(server) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].headers["ratelimit-limit"] == "2"
    assert answers[2].headers["ratelimit-reset"] == answers[2].headers["retry-after"] == "1"


def test_lets_calls_through_again_after_the_second_is_over(server):
    server.resend.rate_limit = 1
    statuses(server, 2)

    assert eventually(lambda: post(server).status_code == 200, seconds=3)


def test_a_strict_batch_is_all_or_nothing(server):
    answer = post(server, [MAIL, BAD], path="/emails/batch")

    assert (answer.status_code, answer.json()["name"]) == (422, "validation_error")
    assert server.resend.accepted == []


def test_a_permissive_batch_takes_the_good_ones_in_order(server):
    second = {**MAIL, "subject": "Second"}

    answer = post(server, [MAIL, BAD, second], path="/emails/batch", mode="permissive")

    assert [error["index"] for error in answer.json()["errors"]] == [1]
    assert [message.payload for message in server.resend.accepted] == [MAIL, second]
    assert [{"id": message.id} for message in server.resend.accepted] == answer.json()["data"]


def test_a_repeated_batch_is_accepted_once(server):
    first, again = (post(server, [MAIL, MAIL], path="/emails/batch", key="b") for _ in range(2))

    assert first.json() == again.json()
    assert [message.key for message in server.resend.accepted] == ["b", "b"]


@pytest.mark.parametrize("batch", [[], [MAIL] * 101, MAIL])
def test_refuses_a_batch_of_the_wrong_size(server, batch):
    assert post(server, batch, path="/emails/batch").status_code == 422


def test_a_batch_drops_what_it_does_not_support(server):
    post(server, [{**MAIL, "scheduled_at": "2030-01-01", "attachments": []}], path="/emails/batch")

    assert server.resend.accepted[0].payload == MAIL


def test_shows_an_accepted_message(server):
    message_id = post(server).json()["id"]

    assert get(server, f"/emails/{message_id}").json()["to"] == MAIL["to"]


@pytest.mark.parametrize(("path", "status"), [("/emails/none", 404), ("/x", 404), ("/emails", 405)])
def test_knows_its_endpoints(server, path, status):
    assert get(server, path).status_code == status


def test_writes_down_every_call_as_it_came(server):
    get(server, "/emails/none")
    post(server, key="k")

    read, sent = server.resend.calls

    assert (read.method, read.path, read.status, read.number) == ("GET", "/emails/none", 404, 0)
    assert (sent.number, sent.status, json.loads(sent.body)) == (1, 200, MAIL)
    assert sent.headers["idempotency-key"] == "k"
    assert read.started_at <= read.finished_at <= sent.started_at <= sent.finished_at


@pytest.mark.parametrize(
    ("starts", "most"), [([0, 0.5, 1, 1.5, 2, 2.5], 2), ([0, 3, 3.9, 2.95, 4.0, 9], 3)]
)
def test_counts_the_calls_of_the_busiest_second(server, starts, most):
    statuses(server, 6)
    for call, started_at in zip(server.resend.calls, starts, strict=True):
        call.started_at = started_at

    assert server.resend.max_calls_in_any_second() == most


def test_half_a_request_is_no_call(server):
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"POST /emails HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        client.shutdown(socket.SHUT_WR)

        assert client.recv(100) == b""

    assert server.resend.calls == []


def test_a_reset_forgets_everything(server):
    post(server, key="k")
    server.resend.bad_keys, server.resend.rate_limit = {"re_test"}, 1

    server.reset()

    assert (server.resend.calls, server.resend.accepted) == ([], [])
    assert statuses(server, 2, key="k") == [200, 200]


def test_two_hundred_clients_at_once_are_all_answered(server):
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda number: post(server, key=str(number)), range(200)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({message.key for message in server.resend.accepted}) == 200
