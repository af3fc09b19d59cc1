"""Every wrong call: its status, a sentence as JSON, and nothing that changed."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from egac.tokens import Token, issue
from jobs.views import LARGEST_BODY
from tests.jobs.calling import CRON, WORKER, call
from tests.notifications.factories import email, queue
from tests.stored import everything_stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_secret", "provider")]

EXPIRED = issue(Token("run_worker_queue", datetime(2026, 1, 1, tzinfo=UTC)))
MEGABYTES = b'{"limit": 1, "padding": "' + b"x" * 10_000_000 + b'"}'
WRONG_SECRETS: dict[str, tuple[str, int, str]] = {
    "none": ("", 401, "No secret came along."),
    "a wrong one": ("wrong", 401, "The secret is wrong."),
    "another job's": ("a-scheduler-token", 403, "This secret opens schedule_create_zoom"),
    "an expired one": (EXPIRED, 401, "This token expired at 2026-01-01 00:00 UTC."),
}
WRONG_BODIES: dict[str, tuple[Any, int, str]] = {
    "no JSON": ("limit=10", 400, "The body is no JSON."),
    "no object": ([10], 400, "The body is no JSON object."),
    "limit 0": ({"limit": 0}, 400, "limit is 0."),
    "limit -1": ({"limit": -1}, 400, "limit is -1."),
    "limit 10^9": ({"limit": 10**9}, 400, "limit is 1000000000."),
    "limit abc": ({"limit": "abc"}, 400, 'limit is "abc".'),
    "a wrong date": ({"date": "1.12.2026"}, 400, 'date is "1.12.2026".'),
    "a date off the calendar": ({"date": "9999-12-31"}, 400, 'date is "9999-12-31".'),
    "10 MB": (MEGABYTES, 413, "The body is larger than 65536 bytes."),
}


@pytest.fixture
def before() -> dict[str, Any]:
    """What is stored while a message waits; a right secret's last use stands in it already."""
    call("no-such-function")
    call(WORKER, "no json")
    queue(email())
    return everything_stored()


def told_by(answer: Any) -> tuple[int, bool, bool, set[str]]:
    body = answer.json()
    return answer.status_code, body["ok"], body["success"], set(body)


def assert_refused(answer: Any, status: int, sentence: str) -> None:
    assert told_by(answer) == (status, False, False, {"ok", "success", "error"})
    assert answer.json()["error"].startswith(sentence)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("case", WRONG_SECRETS)
def test_a_wrong_secret_changes_nothing(case: str, before: dict[str, Any]) -> None:
    token, status, sentence = WRONG_SECRETS[case]

    answer = call(WORKER, {}, token=token)

    assert_refused(answer, status, sentence)
    assert everything_stored() == before


@pytest.mark.parametrize("case", WRONG_BODIES)
def test_a_wrong_body_changes_nothing(case: str, before: dict[str, Any]) -> None:
    body, status, sentence = WRONG_BODIES[case]

    answer = call(WORKER, body)

    assert_refused(answer, status, sentence)
    assert everything_stored() == before


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_only_a_post_starts_a_job(method: str, before: dict[str, Any]) -> None:
    answer = call(WORKER, method=method)

    assert_refused(answer, 405, "Only a POST starts a job.")
    assert answer["Allow"] == "POST"
    assert everything_stored() == before


def test_head_starts_no_job(before: dict[str, Any]) -> None:
    answer = call(WORKER, method="head")

    assert (answer.status_code, answer.content) == (405, b"")
    assert everything_stored() == before


@pytest.mark.parametrize(
    "name", ["", "no-such-job", "prune_history", "../admin/", "run_worker_queue"]
)
def test_an_unknown_function_is_not_found(name: str, before: dict[str, Any]) -> None:
    answer = call(name)

    assert_refused(answer, 404, "There is no such function. There are notification-worker,")
    assert everything_stored() == before


def test_200_wrong_secrets_at_once_change_nothing(before: dict[str, Any]) -> None:
    answers = [call(WORKER, token="wrong") for _ in range(200)]

    assert_refused(answers[0], 401, "The secret is wrong.")
    assert_refused(answers[-1], 429, "Too many wrong secrets came from this address.")
    assert everything_stored() == before


def test_a_large_body_is_not_read_to_its_end() -> None:
    body = io.BytesIO(MEGABYTES)

    Client().post(
        f"/functions/v1/{WORKER}",
        headers={"authorization": f"Bearer {CRON}"},
        **{"wsgi.input": body, "CONTENT_LENGTH": len(MEGABYTES)},
    )

    assert body.tell() == LARGEST_BODY + 1


def test_a_body_of_unknown_length_is_not_taken_for_none(before: dict[str, Any]) -> None:
    answer = call(WORKER, '{"dry_run":true}', **{"transfer-encoding": "chunked"})

    assert_refused(answer, 400, "The length of the body is unknown.")
    assert everything_stored() == before
