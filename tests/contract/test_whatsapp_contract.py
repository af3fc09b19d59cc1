"""The stand-in and our own request both keep to Meta's published OpenAPI file."""

import json

import pytest
import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from egac.providers.whatsapp import send, template_message
from tests.conftest import SPECIFICATIONS

SPECIFICATION = SPECIFICATIONS / "whatsapp.json"
PATH = "/v23.0/106540352242922/messages"
TOKEN = "token_for_tests"
REMINDER = template_message(
    to="+447700900123", template="reminder", language="en_GB", variables=["Ana"], tag="row-7"
)

in_contract = pytest.mark.skipif(
    not SPECIFICATION.exists(), reason="contract specifications absent"
)


@pytest.fixture
def contract(provider):
    """The vendor's contract, as if it were served where the stand-in listens."""
    specification = json.loads(SPECIFICATION.read_text())
    return OpenAPI.from_dict(
        {**specification, "servers": [{"url": provider.url}]},
        # Meta's file is no flawless OpenAPI: only requests and answers are validated by it.
        config=Config(spec_validator_cls=None),
    )


def arrived(provider):
    """Return the last call as the stand-in received it, in the validator's shape."""
    call = provider.whatsapp.calls[-1]
    return MockRequest(
        provider.url,
        call.method,
        call.path,
        headers={name.title(): value for name, value in call.headers.items()},
        data=call.body,
        content_type=call.headers["content-type"],
    )


def asked(provider, payload, *, token=TOKEN, path=PATH):
    """Ask the stand-in as a stranger would; return the question and the answer."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "stranger/1.0.0"}
    question = requests.Request("POST", provider.url + path, json=payload, headers=headers)
    with requests.Session() as session:
        return question, session.send(question.prepare(), timeout=5)


@in_contract
@pytest.mark.parametrize("variables", [[], ["Ana"], ["Ana", "9 a.m."]])
def test_our_request_keeps_the_contract(provider, contract, variables):
    message = template_message(
        to="+447700900123", template="t", language="de", variables=variables, tag="row-7"
    )

    send(message, "key-1")

    contract.validate_request(arrived(provider))


@in_contract
def test_the_answer_keeps_the_contract(provider, contract):
    question, answer = asked(provider, REMINDER)

    contract.validate_response(RequestsOpenAPIRequest(question), RequestsOpenAPIResponse(answer))

    assert answer.json()["contacts"] == [{"input": "+447700900123", "wa_id": "447700900123"}]


@in_contract
@pytest.mark.parametrize("missing", ["to", "type", "template", "messaging_product"])
def test_the_contract_and_the_stand_in_refuse_the_same(provider, contract, missing):
    payload = {name: value for name, value in REMINDER.items() if name != missing}

    question, answer = asked(provider, payload)

    with pytest.raises(OpenAPIError):
        contract.validate_request(RequestsOpenAPIRequest(question))
    assert answer.status_code == 400


def template(**changes):
    return {"template": {**REMINDER["template"], **changes}}


def texts(*words):
    parameters = [{"type": "text", "text": word} for word in words]
    return template(components=[{"type": "body", "parameters": parameters}])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_product": "sms"}, 100),
        ({"recipient_type": "group"}, 131009),
        ({"to": ""}, 131008),
        ({"to": "Ana"}, 131009),
        ({"type": "text"}, 131009),
        ({"template": {"name": "reminder"}}, 131008),
        (template(name="No such"), 132001),
        (template(language={"policy": "fallback", "code": "en"}), 131009),
        (template(language={"policy": "deterministic", "code": "English"}), 132001),
        (texts(""), 131008),
        (texts("Ana\nBen"), 132018),
        (texts("Ana     Ben"), 132018),
    ],
)
def test_the_stand_in_refuses_in_metas_codes(provider, change, code):
    answer = asked(provider, {**REMINDER, **change})[1]

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["message"].startswith(f"(#{code}) ")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert provider.whatsapp.accepted == []


@pytest.mark.parametrize(
    ("where", "status", "code"),
    [
        ({"token": ""}, 401, 190),
        ({"token": "revoked"}, 401, 190),
        ({"path": "/v23.0/club/messages"}, 400, 33),
    ],
)
def test_the_stand_in_turns_a_stranger_away(provider, where, status, code):
    provider.whatsapp.bad_tokens = {"revoked"}

    answer = asked(provider, REMINDER, **where)[1]

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert provider.whatsapp.accepted == []


def test_the_two_stand_ins_keep_ledgers_of_their_own(provider):
    asked(provider, REMINDER)

    assert (len(provider.whatsapp.calls), provider.resend.calls) == (1, [])
