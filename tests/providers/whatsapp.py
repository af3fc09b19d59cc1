"""The WhatsApp stand-in: POST /v23.0/{phone number id}/messages, as Meta's Cloud API has it.

It knows no idempotency: the same request twice is accepted twice.
"""

import re
from typing import Any

from tests.providers.faults import Fault, Refusal
from tests.providers.provider import Books, Provider
from tests.providers.wire import Answer, Request, json_answer

MESSAGES = re.compile(r"/v23\.0/(?P<number>[^/]+)/messages")
NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
# What Meta refuses in a template's variable: a line break, a tab, more than four spaces in a row.
BAD_TEXT = re.compile(r"[\n\t]| {5}")
# The faults that every provider has, in Meta's words.
CODES = {"rate_limit_exceeded": 130429, "application_error": 131000, "service_unavailable": 131016}
BAD_TOKEN = Refusal(401, "190", "Error validating access token: the session has expired.")
NO_OBJECT = Refusal(400, "33", "Unsupported post request. Object does not exist.")
NO_METHOD = Refusal(400, "100", "Unsupported request")


def whatsapp_error(code: int, message: str, *, status: int = 400, **headers: str) -> Fault:
    """Answer with one of Meta's errors; `retry_after="3"` becomes the header `retry-after: 3`."""
    return Fault.error(status, str(code), message, **headers)


class WhatsApp(Provider):
    bad_tokens: set[str]  # tokens that are refused

    def reset(self) -> None:
        super().reset()
        self.bad_tokens = set()

    def owns(self, path: str) -> bool:
        return path.startswith("/v23.0/")

    def sends(self, request: Request) -> bool:
        return request.method == "POST" and bool(MESSAGES.fullmatch(request.path))

    def render(self, refusal: Refusal) -> Answer:
        code = CODES.get(refusal.name) or int(refusal.name)
        data = {"messaging_product": "whatsapp", "details": refusal.message}
        error = {
            "message": f"(#{code}) {refusal.message}",
            "type": "OAuthException",
            "code": code,
            "error_data": data,
            "fbtrace_id": "A1b2C3",
        }
        return json_answer(
            refusal.status, {"error": error}, headers=refusal.headers, name=str(code)
        )

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        if refusal := self._turned_away(request) or _first_fault(payload):
            return self.render(refusal)
        [taken] = books.ledger.accept([payload], key=None, prefix="wamid.")
        contact = {"input": payload["to"], "wa_id": payload["to"].lstrip("+")}
        body = {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": taken.id, "message_status": "accepted"}],
        }
        return json_answer(200, body)

    def read(self, request: Request, books: Books) -> Answer:
        return self.render(self._turned_away(request) or NO_METHOD)

    def _turned_away(self, request: Request) -> Refusal | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token.strip() or token in self.bad_tokens:
            return BAD_TOKEN
        found = MESSAGES.fullmatch(request.path)
        return None if found and found["number"].isdecimal() else NO_OBJECT


def _first_fault(payload: Any) -> Refusal | None:
    """Return the first of Meta's errors that this message earns, or None."""
    if not isinstance(payload, dict):
        return _refused(100, "Invalid parameter")
    return _fault_of_envelope(payload) or _fault_of_template(payload["template"])


def _fault_of_envelope(payload: dict[str, Any]) -> Refusal | None:
    if payload.get("messaging_product") != "whatsapp":
        return _refused(100, "The parameter messaging_product is required.")
    if payload.get("recipient_type", "individual") != "individual":
        return _refused(131009, "The recipient_type is not supported.")
    if missing := [name for name in ("to", "type", "template") if not payload.get(name)]:
        return _refused(131008, f"The required parameter {missing[0]} is missing.")
    if not NUMBER.fullmatch(str(payload["to"])):
        return _refused(131009, "The parameter to is no phone number.")
    if payload["type"] != "template" or not isinstance(payload["template"], dict):
        return _refused(131009, "Only templates are understood here.")
    return None


def _fault_of_template(template: dict[str, Any]) -> Refusal | None:
    language = template.get("language")
    if not isinstance(language, dict) or not template.get("name"):
        return _refused(131008, "A template needs a name and a language.")
    if language.get("policy", "deterministic") != "deterministic":
        return _refused(131009, "The language policy must be deterministic.")
    if not NAME.fullmatch(str(template["name"])) or not LANGUAGE.fullmatch(
        str(language.get("code"))
    ):
        return _refused(132001, "The template does not exist in that language.")
    faults = (_fault_of_text(text) for text in variables(template))
    return next((fault for fault in faults if fault), None)


def _fault_of_text(text: str) -> Refusal | None:
    if not text:
        return _refused(131008, "Parameter of type text is missing text value.")
    if BAD_TEXT.search(text):
        return _refused(132018, "Param text cannot have new-line, tab or more than 4 spaces.")
    return None


def _refused(code: int, message: str) -> Refusal:
    return Refusal(400, str(code), message)


def variables(template: dict[str, Any]) -> list[str]:
    """Return the texts that fill the template, in their order."""
    components = template.get("components") or []
    return [
        str(parameter.get("text") or "")
        for component in components
        for parameter in component.get("parameters") or []
    ]


def as_mail(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a message in the shape of an e-mail, so that the inbox's pages can show it."""
    template = payload["template"]
    texts = enumerate(variables(template), start=1)
    return {
        "from": "WhatsApp",
        "to": payload["to"],
        "subject": f"WhatsApp template {template['name']}",
        "text": "\n".join(f"{{{{{number}}}}} {text}" for number, text in texts),
        "headers": {
            "language": template["language"].get("code"),
            "row": payload.get("biz_opaque_callback_data"),
        },
    }
