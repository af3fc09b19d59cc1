"""The stand-in and our own requests both keep to GitHub's published OpenAPI file."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.testing import MockRequest

from egac.providers.github import Trouble, fingerprint, report_trouble, resolve_trouble
from tests.conftest import SPECIFICATIONS

SPECIFICATION = SPECIFICATIONS / "github.json"
ISSUES = "/repos/club/ops/issues"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TROUBLE = Trouble("failed_invites", "3 invites have failed.", "What to do: open them.")

pytestmark = pytest.mark.skipif(not SPECIFICATION.exists(), reason="contract specifications absent")


@pytest.fixture
def contract(alarms):
    """The vendor's contract, as if it were served where the stand-in listens."""
    specification = json.loads(SPECIFICATION.read_text())
    alarms.github.now = NOW
    return OpenAPI.from_dict({**specification, "servers": [{"url": alarms.url}]})


def arrived(alarms, call):
    """Return a call as the stand-in received it, in the validator's shape."""
    return MockRequest(
        alarms.url,
        call.method,
        call.path,
        headers={name.title(): value for name, value in call.headers.items()},
        data=call.body or None,
        content_type=call.headers["content-type"],
    )


def answered(alarms, method, path, payload=None):
    question = requests.Request(
        method,
        alarms.url + path,
        json=payload,
        headers={"Authorization": "Bearer ghp_for_tests"},
    )
    with requests.Session() as session:
        return question, session.send(question.prepare(), timeout=5)


def test_every_request_of_an_issues_life_keeps_the_contract(alarms, contract):
    report_trouble(TROUBLE, now=NOW)
    later = alarms.github.now = NOW + timedelta(days=2)
    report_trouble(TROUBLE, now=later)
    resolve_trouble(TROUBLE.cause, sentence="It is over.", now=later)
    report_trouble(TROUBLE, now=later)

    calls = alarms.github.calls
    assert {call.method for call in calls} == {"GET", "POST", "PATCH"}
    for call in calls:
        contract.validate_request(arrived(alarms, call))


@pytest.mark.parametrize(
    ("method", "path", "payload", "status"),
    [
        ("GET", ISSUES, None, 200),
        ("POST", ISSUES, {"title": "Hello", "body": "There", "labels": ["monitoring"]}, 201),
        ("GET", f"{ISSUES}/1", None, 200),
        ("PATCH", f"{ISSUES}/1", {"state": "closed", "state_reason": "completed"}, 200),
        ("PATCH", f"{ISSUES}/1", {"state": "open", "state_reason": "reopened"}, 200),
        ("GET", f"{ISSUES}/1/comments", None, 200),
        ("POST", f"{ISSUES}/1/comments", {"body": "Still so."}, 201),
        ("GET", f"{ISSUES}/99", None, 404),
        ("POST", f"{ISSUES}/99/comments", {"body": "Still so."}, 404),
    ],
)
def test_every_answer_of_the_stand_in_keeps_the_contract(
    alarms, contract, method, path, payload, status
):
    alarms.github.add(fingerprint("failed_invites"), is_pull_request=True)
    answered(alarms, "POST", f"{ISSUES}/1/comments", {"body": "First."})

    question, answer = answered(alarms, method, path, payload)

    assert answer.status_code == status
    contract.validate_response(RequestsOpenAPIRequest(question), RequestsOpenAPIResponse(answer))


def test_issues_that_are_turned_off_are_gone(alarms, contract):
    alarms.github.has_issues = False

    question, answer = answered(alarms, "POST", ISSUES, {"title": "Hello"})

    assert answer.status_code == 410
    contract.validate_response(RequestsOpenAPIRequest(question), RequestsOpenAPIResponse(answer))
