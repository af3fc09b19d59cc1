"""The stand-ins of those who are told of alerts besides GitHub: Slack, Opsgenie, a watcher."""

from typing import Any
from urllib.parse import unquote

from tests.providers.faults import Refusal
from tests.providers.provider import Books, Provider
from tests.providers.wire import Answer, Request, json_answer


class Slack(Provider):
    """An incoming webhook. It answers in plain text."""

    def owns(self, path: str) -> bool:
        return path.startswith("/services/")

    def sends(self, request: Request) -> bool:
        return True

    def render(self, refusal: Refusal) -> Answer:
        text = refusal.message.encode()
        return Answer(refusal.status, text, "text/html", refusal.headers, refusal.name)

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        if request.method != "POST" or not isinstance(payload, dict):
            return self.render(Refusal(400, "invalid_payload", "invalid_payload"))
        if not payload.get("text"):
            return self.render(Refusal(400, "no_text", "no_text"))
        books.ledger.accept([payload], key=None)
        return Answer(200, b"ok", "text/html")

    @property
    def texts(self) -> list[str]:
        return [each.payload["text"] for each in self.accepted]


class Opsgenie(Provider):
    """Alerts by alias, under /opsgenie so that no other provider's path is taken."""

    open: dict[str, dict[str, Any]]

    def reset(self) -> None:
        super().reset()
        self.open = {}

    def owns(self, path: str) -> bool:
        return path.startswith("/opsgenie/v2/alerts")

    def sends(self, request: Request) -> bool:
        return True

    def render(self, refusal: Refusal) -> Answer:
        body = {"message": refusal.message, "took": 0.001, "requestId": "r-1"}
        return json_answer(refusal.status, body, headers=refusal.headers, name=refusal.name)

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        if not request.headers.get("authorization", "").startswith("GenieKey "):
            return self.render(Refusal(401, "401", "Could not authenticate"))
        path = request.path.removeprefix("/opsgenie/v2/alerts")
        if path:
            if request.query != "identifierType=alias":
                return self.render(Refusal(422, "422", "The id is no alert's."))
            self.open.pop(unquote(path.removeprefix("/").removesuffix("/close")), None)
        elif len(payload.get("message") or "") in range(1, 131):
            self.open[payload["alias"]] = payload
            books.ledger.accept([payload], key=None)
        else:
            return self.render(Refusal(422, "422", "Message can not be empty or too long."))
        body = {"result": "Request will be processed", "took": 0.001, "requestId": "r-1"}
        return json_answer(202, body)


class Watcher(Provider):
    """An outside watcher in the manner of healthchecks.io, at /ping/<id>."""

    def owns(self, path: str) -> bool:
        return path.startswith("/ping/")

    def sends(self, request: Request) -> bool:
        return True

    def render(self, refusal: Refusal) -> Answer:
        return Answer(refusal.status, refusal.message.encode(), "text/plain")

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        books.ledger.accept([{"path": request.path}], key=None)
        return Answer(200, b"OK", "text/plain")

    @property
    def pings(self) -> list[str]:
        """What was told, in its order: `start`, `""` for a success, `fail`."""
        parts = (each.payload["path"].split("/") for each in self.accepted)
        return [part[3] if len(part) > 3 else "" for part in parts]
