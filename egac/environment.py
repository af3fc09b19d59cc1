"""Read environment variables strictly: what cannot be parsed refuses to start with a sentence."""

import json
import os
import re
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
ON = {"1", "true", "yes", "on"}
OFF = {"0", "false", "no", "off"}

env = environ.Env()


def read_env_file() -> None:
    """Load `.env` beside manage.py, by absolute path, so that cron sees it too."""
    path = BASE_DIR / ".env"
    if path.is_file():
        environ.Env.read_env(path)


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding white space; an empty one is the default."""
    # Not env.str(): it takes a value that begins with `$` for the name of another variable.
    return os.environ.get(name, "").strip() or default


def paragraph(name: str) -> str:
    """Return a text of several lines, each of which ends where `|` stands."""
    return "\n".join(line.strip() for line in text(name).split("|"))


def switch(name: str, default: bool = False) -> bool:
    """Return True or False; any word but `1 true yes on` and `0 false no off` refuses to start."""
    word = text(name).lower()
    if not word:
        return default
    if word in ON | OFF:
        return word in ON
    raise ImproperlyConfigured(f"{name} is {word!r}. Write {name}=1 for on or {name}=0 for off.")


def whole(name: str, default: int, *, at_least: int = 1) -> int:
    """Return a whole number not below `at_least`."""
    number = number_of(name, default)
    if not float(number).is_integer() or number < at_least:
        raise ImproperlyConfigured(
            f"{name} is {text(name)!r}. Write a whole number of {at_least} or more, "
            f"for example {name}={default}."
        )
    return int(number)


def above_zero(name: str, default: float) -> float:
    """Return a number above zero; fractions are allowed."""
    number = number_of(name, default)
    if not 0 < number < float("inf"):
        raise ImproperlyConfigured(
            f"{name} is {text(name)!r}. Write a number above 0, for example {name}={default}."
        )
    return number


def percent(name: str, default: str) -> Decimal:
    """Return an exact percentage from 0 to 100, for example of a tax; invoices show two places."""
    word = text(name, default)
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", word) or Decimal(word) > 100:
        raise ImproperlyConfigured(
            f"{name} is {word!r}. Write a percentage from 0 to 100, with two decimal places at "
            f"most, for example {name}=20."
        )
    return Decimal(word)


def currency(name: str, default: str) -> str:
    """Return a currency's three letters."""
    word = text(name, default).upper()
    if not re.fullmatch("[A-Z]{3}", word):
        raise ImproperlyConfigured(f"{name} is {word!r}. Write three letters, as {name}=GBP.")
    return word


def web_address(name: str, default: str) -> str:
    """Return the address of a site without a slash at its end, or "" for none."""
    word = text(name, default).rstrip("/")
    if word and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", word):
        raise ImproperlyConfigured(
            f"{name} is {text(name)!r}. Write a web address, for example {name}=https://ops.example.org."
        )
    return word


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone that this machine knows."""
    word = text(name, default)
    try:
        ZoneInfo(word)
    except (KeyError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} is {word!r}, which is no time zone. Write for example {name}={default}."
        ) from None
    return word


def json_object(name: str, example: str) -> dict[str, Any]:
    """Return a JSON object, {} where the variable is empty; anything else refuses to start.

    The sentence does not repeat the value: it may hold a secret.
    """
    try:
        value = json.loads(text(name, "{}"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} is no JSON object. Write for example {name}={example}")
    return value


def job_tokens(name: str) -> dict[str, tuple[str, ...]]:
    """Return one token or two for each job; anything else refuses to start, naming the job only."""
    given = json_object(name, '{"run_worker_queue": "<32 random characters>"}')
    return {job: _tokens(name, job, value) for job, value in given.items()}


def _tokens(name: str, job: str, value: object) -> tuple[str, ...]:
    tokens = value if isinstance(value, list) else [value]
    if not 1 <= len(tokens) <= 2 or not all(is_token(token) for token in tokens):
        raise ImproperlyConfigured(
            f"{name} of {job!r} is neither a token nor a list of two. Write for example "
            f'{name}={{"{job}": ["<new>", "<old>"]}}, without white space in a token.'
        )
    return tuple(tokens)


def is_token(value: object) -> bool:
    """Return whether a caller could carry the value in a header."""
    return isinstance(value, str) and re.fullmatch("[!-~]+", value) is not None


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated list of addresses and networks, such as 127.0.0.1,10.0.0.0/8."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}. Write for example {name}=127.0.0.1,10.0.0.0/8."
        ) from None


def number_of(name: str, default: float) -> float:
    """Return the variable as a number, or refuse to start with a sentence."""
    word = text(name)
    try:
        return float(word) if word else default
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is {word!r}, which is no number. Write for example {name}={default}."
        ) from None


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def one_of(name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices; the first is the default."""
    word = text(name, choices[0]).lower()
    if word not in choices:
        raise ImproperlyConfigured(f"{name} is {word!r}. Write one of: {', '.join(choices)}.")
    return word
