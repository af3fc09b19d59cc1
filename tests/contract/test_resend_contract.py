"""The stand-in and Resend's own client both keep to the vendor's published OpenAPI file."""

import json
from pathlib import Path

import pytest
import requests
import resend
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from tests.providers.client import BAD, MAIL
from tests.providers.server import ProviderServer

SPECIFICATION = Path(__file__).resolve().parents[3] / "shared" / "specs" / "resend.json"
KEY = "re_test"
FULL = {
    **MAIL,
    "html": "<p>Hi</p>",
    "cc": ["cleo@families.example"],
    "reply_to": "office@club.example",
    "headers": {"X-Entity-Ref-ID": "7"},
    "tags": [{"name": "row", "value": "invite-7"}],
}
PERMISSIVE = {"idempotency_key": "invite/7", "batch_validation": "permissive"}

pytestmark = pytest.mark.skipif(not SPECIFICATION.exists(), reason="contract specifications absent")


@pytest.fixture(scope="module")
def server():
    with ProviderServer() as running:
        yield running


@pytest.fixture(scope="module")
def contract(server):
    """The vendor's contract, as if it were served where the stand-in listens."""
    specification = json.loads(SPECIFICATION.read_text())
    return OpenAPI.from_dict({**specification, "servers": [{"url": server.url}]})


@pytest.fixture
def sdk(server, monkeypatch):
    server.reset()
    monkeypatch.setattr(resend, "api_url", server.url)
    monkeypatch.setattr(resend, "api_key", KEY)
    # Ours, which the program puts in its place, decides refusals before the SDK sees them.
    monkeypatch.setattr(resend, "default_http_client", resend.RequestsClient())
    return resend


def exchanged(server, method, path, payload=None, **headers):
    """Ask the stand-in; return the question and the answer in the validator's shape."""
    question = requests.Request(
        method,
        server.url + path,
        json=payload,
        headers={"Authorization": f"Bearer {KEY}", **headers},
    )
    with requests.Session() as session:
        answer = session.send(question.prepare(), timeout=5)
    return RequestsOpenAPIRequest(question), RequestsOpenAPIResponse(answer)


def arrived(server):
    """Return the last call as the stand-in received it, in the validator's shape."""
    call = server.resend.calls[-1]
    return MockRequest(
        server.url,
        call.method,
        call.path,
        headers=dict(call.headers),
        data=call.body,
        content_type=call.headers["content-type"],
    )


def test_the_answer_to_a_send_keeps_the_contract(server, contract):
    question, answer = exchanged(server, "POST", "/emails", FULL)

    contract.validate_request(question)
    contract.validate_response(question, answer)

    assert set(json.loads(answer.data)) == {"id"}


@pytest.mark.parametrize("mode", ["strict", "permissive"])
def test_the_answer_to_a_batch_keeps_the_contract(server, contract, mode):
    headers = {"x-batch-validation": mode}
    question, answer = exchanged(server, "POST", "/emails/batch", [FULL, MAIL], **headers)

    contract.validate_request(question)
    contract.validate_response(question, answer)

    assert [set(item) for item in json.loads(answer.data)["data"]] == [{"id"}, {"id"}]


@pytest.mark.parametrize("payload", [FULL, MAIL])
def test_the_answer_to_a_read_keeps_the_contract(server, contract, payload):
    message = json.loads(exchanged(server, "POST", "/emails", payload)[1].data)
    question, answer = exchanged(server, "GET", f"/emails/{message['id']}")

    contract.validate_response(question, answer)

    assert json.loads(answer.data)["to"] == payload["to"]


@pytest.mark.parametrize("missing", ["from", "to", "subject"])
def test_the_contract_and_the_stand_in_refuse_the_same(server, contract, missing):
    payload = {name: value for name, value in FULL.items() if name != missing}
    question, answer = exchanged(server, "POST", "/emails", payload)

    with pytest.raises(OpenAPIError):
        contract.validate_request(question)

    assert answer.status_code == 422


def test_the_clients_send_keeps_the_contract(server, contract, sdk):
    result = sdk.Emails.send(FULL, {"idempotency_key": "invite/7"})

    contract.validate_request(arrived(server))

    [message] = server.resend.accepted
    assert (message.id, message.key, message.payload) == (result["id"], "invite/7", FULL)


def test_the_clients_batch_keeps_the_contract(server, contract, sdk):
    result = sdk.Batch.send([FULL, MAIL], PERMISSIVE)

    contract.validate_request(arrived(server))

    assert [message.id for message in server.resend.accepted] == [
        item["id"] for item in result["data"]
    ]
    assert {message.key for message in server.resend.accepted} == {"invite/7"}


def test_the_client_reads_the_errors_of_a_permissive_batch(server, sdk):
    result = sdk.Batch.send([FULL, BAD], PERMISSIVE)

    assert [error["index"] for error in result["errors"]] == [1]
    assert len(server.resend.accepted) == 1


def test_the_client_reads_the_name_of_a_refusal(server, sdk):
    server.resend.rate_limit = 1
    sdk.Emails.send(FULL)

    with pytest.raises(sdk.exceptions.RateLimitError) as caught:
        sdk.Emails.send(FULL)

    assert (caught.value.code, caught.value.error_type) == (429, "rate_limit_exceeded")
    assert caught.value.headers["retry-after"] == "1"
