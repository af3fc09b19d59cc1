"""How the stand-in's own tests speak to it: as a stranger would, over HTTP."""

import time
from collections.abc import Callable
from typing import Any

import requests

from tests.providers.server import ProviderServer

MAIL = {
    "from": "Club <club@club.example>",
    "to": ["ana@families.example"],
    "subject": "Hello",
    "text": "Hi",
}
BAD = {**MAIL, "to": ["nobody"]}


def post(
    server: ProviderServer,
    payload: Any = MAIL,
    *,
    path: str = "/emails",
    key: str | None = None,
    token: str | None = "re_test",
    mode: str | None = None,
    timeout: float = 5,
) -> requests.Response:
    """Send; `mode` is the header x-batch-validation."""
    headers = {
        "Authorization": f"Bearer {token}" if token else None,
        "Idempotency-Key": key,
        "x-batch-validation": mode,
    }
    return requests.post(
        server.url + path, json=payload, headers=headers, timeout=timeout, allow_redirects=False
    )


def get(server: ProviderServer, path: str) -> requests.Response:
    return requests.get(server.url + path, headers={"Authorization": "Bearer re_test"}, timeout=5)


def statuses(server: ProviderServer, count: int, **options: Any) -> list[int]:
    return [post(server, **options).status_code for _ in range(count)]


def mail_to(address: str, **changes: Any) -> dict[str, Any]:
    return {**MAIL, "to": [address], **changes}


def eventually(claim: Callable[[], bool], *, seconds: float = 5) -> bool:
    """Say whether the claim comes true within so many seconds."""
    until = time.monotonic() + seconds
    while not (is_true := claim()) and time.monotonic() < until:
        time.sleep(0.01)
    return is_true
