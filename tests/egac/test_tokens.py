"""Short-lived tokens: what is signed is read, whatever else is not."""

from datetime import UTC, datetime

import pytest
from pytest_django.fixtures import Settings

from egac.logs import REDACTED, redact
from egac.tokens import Token, issue, read

TOKEN = Token("run_worker_queue", datetime(2026, 12, 1, 10, 0, tzinfo=UTC))


def test_reads_what_it_issued() -> None:
    assert read(issue(TOKEN)) == TOKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "egac_",
        "egac_x.y",
        "a-secret-of-the-tests",
        issue(TOKEN).removeprefix("egac_"),
        issue(TOKEN)[:-1],
        issue(TOKEN) + "x",
        issue(TOKEN).replace(".", ":"),
    ],
)
def test_reads_nothing_else(text: str) -> None:
    assert read(text) is None


def test_another_signing_key_ends_every_token(settings: Settings) -> None:
    issued = issue(TOKEN)
    settings.SECRET_KEY = "another-one"

    assert read(issued) is None


def test_a_token_can_be_carried_in_a_header() -> None:
    letters = set(issue(TOKEN)) - set("-._~+/=")

    assert all(letter.isascii() and letter.isalnum() for letter in letters)


def test_the_logs_hide_an_issued_token() -> None:
    assert redact(f"refused {issue(TOKEN)}, sorry") == f"refused {REDACTED}, sorry"
