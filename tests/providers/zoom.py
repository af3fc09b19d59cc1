"""The Zoom stand-in: OAuth tokens, and meetings that are made, listed, read and deleted.

It knows no idempotency: the same request twice makes two meetings.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.providers.faults import Fault, Refusal
from tests.providers.ledger import Accepted
from tests.providers.provider import Books, Provider
from tests.providers.wire import Answer, Request, json_answer

OAUTH = "/oauth/token"
OF_A_USER = re.compile(r"/v2/users/(?P<user>[^/]+)/meetings")
ONE = re.compile(r"/v2/meetings/(?P<id>\d+)")
FIRST_ID = 98_000_000_000  # larger than 32 bits, as theirs are
LISTED_AGENDA = 250  # characters of an agenda that a list shows
START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CODES = {"rate_limit_exceeded": "429", "application_error": "500", "service_unavailable": "503"}
BAD_TOKEN = Refusal(401, "124", "Invalid access token.")
BAD_BODY = Refusal(400, "300", "Validation Failed.")
NO_MEETING = Refusal(404, "3001", "Meeting does not exist.")
NO_USER = Refusal(404, "1001", "User does not exist.")
NO_ENDPOINT = Refusal(404, "2300", "This API endpoint is not recognized.")
TOO_FAST = Refusal(
    429, "429", "You have reached the maximum per-second rate limit.", {"x-ratelimit-type": "QPS"}
)
DAILY = Refusal(
    429,
    "429",
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted "
    "for this user.",
    {"retry-after": "2026-12-02T00:00:00Z"},
)


def zoom_error(status: int, code: int, message: str, **headers: str) -> Fault:
    """Answer a create with one of Zoom's errors; `retry_after="3"` becomes a header."""
    return Fault.error(status, str(code), message, **headers)


@dataclass(frozen=True)
class Held:
    """A meeting as Zoom keeps it."""

    id: int
    user: str
    payload: dict[str, Any]

    @property
    def links(self) -> dict[str, str]:
        return {
            "join_url": f"https://zoom.example/j/{self.id}?pwd=join",
            "start_url": f"https://zoom.example/s/{self.id}?zak=host-secret",
        }


class Zoom(Provider):
    client: tuple[str, str]  # the id and the secret that get a token
    daily_limit: int | None  # meetings that one user may make
    page_size: int  # meetings on one page of a list
    refuses_deletes: bool
    users_gone: set[str]  # who were removed from the account, and their meetings with them

    def reset(self) -> None:
        super().reset()
        self.client, self.daily_limit, self.page_size = ("client", "client-secret"), None, 300
        self.refuses_deletes, self.users_gone = False, set()
        self._deleted: set[int] = set()
        self._good_tokens: set[str] = set()
        self.tokens_given = getattr(self, "tokens_given", 0)

    @property
    def meetings(self) -> list[Held]:
        """Every meeting that is there now, in the order in which they were made."""
        numbered = enumerate(self.accepted, FIRST_ID)
        held = [_held(each, number) for number, each in numbered]
        there = [each for each in held if each.user not in self.users_gone]
        return [each for each in there if each.id not in self._deleted]

    def forget_tokens(self) -> None:
        """Refuse every token given so far."""
        self._good_tokens.clear()

    def owns(self, path: str) -> bool:
        return path == OAUTH or path.startswith("/v2/")

    def sends(self, request: Request) -> bool:
        return request.method == "POST" and bool(OF_A_USER.fullmatch(request.path))

    def render(self, refusal: Refusal) -> Answer:
        code = CODES.get(refusal.name, refusal.name)
        body = {"code": int(code), "message": refusal.message}
        return json_answer(refusal.status, body, headers=refusal.headers, name=code)

    def process(self, request: Request, payload: Any, books: Books, *, alone: bool) -> Answer:
        found = OF_A_USER.fullmatch(request.path)
        user = unquote(found["user"]) if found else ""
        if refusal := self._turned_away(request) or _fault_of(payload) or self._is_full(user):
            return self.render(refusal)
        [taken] = books.ledger.accept([payload], key=user)
        return json_answer(201, _as_told(_held(taken, self._number_of(taken))))

    def read(self, request: Request, books: Books) -> Answer:
        if request.path == OAUTH:
            return self._token(request)
        if refusal := self._turned_away(request):
            return self.render(refusal)
        of_a_user, one = OF_A_USER.fullmatch(request.path), ONE.fullmatch(request.path)
        if of_a_user:
            return self._list(unquote(of_a_user["user"]), request)
        return self._one(int(one["id"]), request) if one else self.render(NO_ENDPOINT)

    def _token(self, request: Request) -> Answer:
        pair = base64.b64encode(":".join(self.client).encode()).decode()
        form = parse_qs(request.body.decode())
        if request.headers.get("authorization") != f"Basic {pair}" or "account_id" not in form:
            told = {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
            return json_answer(400, told, name="invalid_client")
        self.tokens_given += 1
        token = f"token-{self.tokens_given}"
        self._good_tokens.add(token)
        return json_answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _turned_away(self, request: Request) -> Refusal | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return None if token in self._good_tokens else BAD_TOKEN

    def _is_full(self, user: str) -> Refusal | None:
        made = sum(each.key == user for each in self.accepted)
        return DAILY if self.daily_limit is not None and made >= self.daily_limit else None

    def _number_of(self, taken: Accepted) -> int:
        return FIRST_ID + next(n for n, each in enumerate(self.accepted) if each.id == taken.id)

    def _list(self, user: str, request: Request) -> Answer:
        if user in self.users_gone:
            return self.render(NO_USER)
        query = parse_qs(request.query)
        first = int(query.get("next_page_token", ["0"])[0])
        meetings = [each for each in self.meetings if each.user == user]
        end = first + self.page_size
        return json_answer(
            200,
            {
                "next_page_token": str(end) if end < len(meetings) else "",
                "meetings": [_as_listed(each) for each in meetings[first:end]],
            },
        )

    def _one(self, number: int, request: Request) -> Answer:
        meeting = next((each for each in self.meetings if each.id == number), None)
        if meeting is None:
            return self.render(NO_MEETING)
        if request.method == "DELETE" and self.refuses_deletes:
            return self.render(TOO_FAST)
        if request.method == "DELETE":
            self._deleted.add(number)
            return Answer(204)
        return json_answer(200, _as_told(meeting))


def _held(taken: Accepted, number: int) -> Held:
    """Return a meeting as it is kept: the ledger's key is its user."""
    return Held(number, taken.key or "", taken.payload)


def _fault_of(payload: Any) -> Refusal | None:
    is_usable = (
        isinstance(payload, dict)
        and payload.get("type") == 2
        and START.fullmatch(str(payload.get("start_time")))
        and type(payload.get("duration")) is int
        and 0 < len(str(payload.get("topic"))) <= 200
    )
    return None if is_usable else BAD_BODY


def _as_told(meeting: Held) -> dict[str, Any]:
    return {"id": meeting.id, **meeting.payload, **meeting.links}


def _as_listed(meeting: Held) -> dict[str, Any]:
    """Return a meeting as a list shows it: half of its agenda, and no host link."""
    told = _as_told(meeting)
    del told["start_url"], told["settings"]
    return {**told, "agenda": told["agenda"][:LISTED_AGENDA]}
