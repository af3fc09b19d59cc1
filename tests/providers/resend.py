"""The Resend stand-in: POST /emails, POST /emails/batch, GET /emails/{id}."""

from dataclasses import replace
from typing import Any

from tests.providers.faults import Refusal
from tests.providers.ledger import Accepted
from tests.providers.limits import fingerprint
from tests.providers.provider import Books, Provider
from tests.providers.resend_rules import (
    UNSUPPORTED_IN_A_BATCH,
    Refuses,
    as_list,
    batch_refusal,
    email_refusal,
    key_refusal,
    takes_all,
)
from tests.providers.wire import Answer, Request, json_answer

SEND, BATCH, READ = "/emails", "/emails/batch", "/emails/"
MISSING_KEY = Refusal(401, "missing_api_key", "Missing API key in the authorization header.")
INVALID_KEY = Refusal(403, "invalid_api_key", "API key is invalid.")
NO_ENDPOINT = Refusal(404, "not_found", "The requested endpoint does not exist.")
NO_EMAIL = Refusal(404, "not_found", "Email not found")
NO_METHOD = Refusal(405, "method_not_allowed", "Method is not allowed for the requested path.")
OTHER_PAYLOAD = Refusal(
    409, "invalid_idempotent_request", "Same idempotency key used with a different request payload."
)
CONCURRENT = Refusal(
    409,
    "concurrent_idempotent_requests",
    "Same idempotency key used while original request is still in progress.",
)
BAD_JSON = Refusal(400, "validation_error", "The request body is not valid JSON.")
TOO_MANY = Refusal(429, "rate_limit_exceeded", "Too many requests.", {"retry-after": "1"})


class Resend(Provider):
    bad_keys: set[str]  # API keys that are refused
    refuses: Refuses  # recipients that are refused, with the provider's words
    rate_limit: int | None  # calls a second that are let through; None: all
    advertised_rate: int  # what ratelimit-limit says while none is enforced

    def reset(self) -> None:
        super().reset()
        self.bad_keys, self.refuses = set(), takes_all
        self.rate_limit, self.advertised_rate = None, 1000

    def forget_keys(self) -> None:
        """Let every idempotency key expire, as after 24 hours."""
        self._books.keys.forget()

    def owns(self, path: str) -> bool:
        """Own every path, so that an unknown one gets this API's own 404."""
        return path.startswith("/")

    def sends(self, request: Request) -> bool:
        return request.method == "POST" and request.path in (SEND, BATCH)

    def render(self, refusal: Refusal) -> Answer:
        body = {"statusCode": refusal.status, "message": refusal.message, "name": refusal.name}
        return json_answer(refusal.status, body, headers=refusal.headers, name=refusal.name)

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        refusal = self._turned_away(request, books) or key_refusal(request.key)
        if refusal is None and not alone:
            refusal = CONCURRENT
        answer = self.render(refusal) if refusal else self._once(request, payload, books)
        return self._with_rate(answer, books)

    def read(self, request: Request, books: Books) -> Answer:
        is_known = request.path == SEND or request.path.startswith(READ)
        if not is_known or request.method != "GET" or request.path in (SEND, BATCH):
            return self.render(NO_METHOD if is_known else NO_ENDPOINT)
        if refusal := self._turned_away(request, books):
            return self._with_rate(self.render(refusal), books)
        found = books.ledger.find(request.path.removeprefix(READ))
        answer = json_answer(200, as_email(found)) if found else self.render(NO_EMAIL)
        return self._with_rate(answer, books)

    def _turned_away(self, request: Request, books: Books) -> Refusal | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return MISSING_KEY
        if not token.startswith("re_") or token in self.bad_keys:
            return INVALID_KEY
        return None if books.window.admit(self.rate_limit) else TOO_MANY

    def _once(self, request: Request, payload: Any, books: Books) -> Answer:
        """Take the call, or repeat the answer that its key already got; only a success is kept."""
        mark = fingerprint(request.path, payload)
        if kept := books.keys.kept(request.key):
            return kept[1] if kept[0] == mark else self.render(OTHER_PAYLOAD)
        if payload is None:
            return self.render(BAD_JSON)
        take = self._take_batch if request.path == BATCH else self._take_one
        answer = take(request, payload, books)
        if answer.status == 200:
            books.keys.keep(request.key, mark, answer)
        return answer

    def _take_one(self, request: Request, payload: Any, books: Books) -> Answer:
        if refusal := email_refusal(payload, self.refuses):
            return self.render(refusal)
        [taken] = books.ledger.accept([payload], key=request.key)
        return json_answer(200, {"id": taken.id})

    def _take_batch(self, request: Request, items: Any, books: Books) -> Answer:
        if whole := batch_refusal(items):
            return self.render(whole)
        judged = ((index, email_refusal(item, self.refuses)) for index, item in enumerate(items))
        refused = {index: refusal for index, refusal in judged if refusal}
        is_permissive = request.headers.get("x-batch-validation") == "permissive"
        if refused and not is_permissive:
            return self.render(next(iter(refused.values())))
        good = [item for index, item in enumerate(items) if index not in refused]
        taken = books.ledger.accept([supported(item) for item in good], key=request.key)
        body: dict[str, Any] = {"data": [{"id": each.id} for each in taken]}
        if is_permissive:
            body["errors"] = [
                {"index": index, "message": refusal.message} for index, refusal in refused.items()
            ]
        return json_answer(200, body)

    def _with_rate(self, answer: Answer, books: Books) -> Answer:
        rate = books.window.headers(self.rate_limit or self.advertised_rate)
        return replace(answer, headers={**rate, **answer.headers})


def as_email(message: Accepted) -> dict[str, Any]:
    """Return an accepted message as GET /emails/{id} shows it."""
    payload = message.payload
    return {
        "object": "email",
        "id": message.id,
        "created_at": message.wall.isoformat(sep=" "),
        "last_event": "delivered",
        **{name: payload.get(name) or "" for name in ("from", "subject", "html", "text")},
        **{name: as_list(payload.get(name)) for name in ("to", "cc", "bcc", "reply_to")},
    }


def supported(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item without what a batch drops silently."""
    return {name: value for name, value in item.items() if name not in UNSUPPORTED_IN_A_BATCH}
