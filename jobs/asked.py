"""What a caller over HTTP asks of a run, read from the body. Pure."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from typing import Any

from egac.days import FIRST_DAY, LAST_DAY
from jobs.command import day

LARGEST_LIMIT = 1000


class Unusable(ValueError):
    """A body or a value that cannot be used; the message says which, and what to send."""


def asked_in(body: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the options that a body asks for, and the names in it that mean nothing to any job.

    None at all is `{}`, and a value of null is none. Raises Unusable.
    """
    given = _object(body)
    asked = {
        name: READERS[name](name, value)
        for name, value in given.items()
        if name in READERS and value is not None
    }
    return asked, [name for name in given if name not in READERS]


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Unusable("The body is no JSON. Send a JSON object, for example {}.") from None
    if not isinstance(given, dict):
        raise Unusable("The body is no JSON object. Send one, for example {}.")
    return given


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Unusable(f"{name} is {_shown(value)}. Send true or false.")
    return value


def _limit(name: str, value: object) -> int:
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Unusable(_no_limit(name, value))
    if not 1 <= int(digits) <= LARGEST_LIMIT:
        raise Unusable(_no_limit(name, value))
    return int(digits)


def _no_limit(name: str, value: object) -> str:
    return f"{name} is {_shown(value)}. Send a whole number from 1 to {LARGEST_LIMIT}."


def _day(name: str, value: object) -> date:
    try:
        return day(str(value))
    except ArgumentTypeError:
        raise Unusable(
            f"{name} is {_shown(value)}. Send a day from {FIRST_DAY} to {LAST_DAY}, written so."
        ) from None


def _shown(value: object) -> str:
    """Return a value as its caller wrote it, or its beginning."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"


READERS: dict[str, Callable[[str, Any], Any]] = {
    "date": _day,
    "dry_run": _switch,
    "force": _switch,
    "force_invoke": _switch,
    "limit": _limit,
}
