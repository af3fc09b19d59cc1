"""No secret in any log line, however it came there, as text and as JSON."""

import json
import logging
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from egac.drain import Drain
from egac.logs import (
    REDACTED,
    SECRET_SETTINGS,
    JsonFormatter,
    RedactSecrets,
    TextFormatter,
    about,
    keep_lines,
    redact,
)
from egac.providers.resend import EMAIL
from invites.models import Invite
from tests.invites.factories import InviteFactory

SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    settings.CRON_SECRET = SECRET


def line(message: object, *args: object, exc_info: object = None) -> logging.LogRecord:
    """Return a record as a handler with our filter sees it."""
    record = logging.LogRecord("egac", logging.INFO, "here.py", 1, message, args, exc_info)  # type: ignore[arg-type]
    assert RedactSecrets().filter(record)
    return record


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_hides_every_configured_secret(settings: Settings, name: str) -> None:
    setattr(settings, name, "s3cr3t-value")

    assert redact("before s3cr3t-value after") == f"before {REDACTED} after"


def test_hides_the_tokens_of_the_jobs(settings: Settings) -> None:
    settings.JOB_TOKENS = {"run_worker_queue": ("the-new-token", "the-old-token")}

    assert redact("the-new-token the-old-token") == f"{REDACTED} {REDACTED}"


def test_hides_the_whole_of_a_secret_that_begins_like_another(settings: Settings) -> None:
    settings.RESEND_API_KEY, settings.WHATSAPP_TOKEN = "hunter", "hunter-and-more"

    assert redact("hunter-and-more") == REDACTED


def test_an_unset_secret_hides_nothing(settings: Settings) -> None:
    settings.RESEND_API_KEY = settings.CRON_SECRET = ""

    assert redact("all of it") == "all of it"


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("/x?secret=wrong", "/x?secret=[redacted]"),
        ("/x?a=1&secret=wrong&b=2", "/x?a=1&secret=[redacted]&b=2"),
        ("/x?SECRET=wrong", "/x?SECRET=[redacted]"),
        ("/x?%73ecret=wrong", "/x?%73ecret=[redacted]"),
        ("/x?s%65cr%65%74=wrong", "/x?s%65cr%65%74=[redacted]"),
        ("/x?secret=it's%20long", "/x?secret=[redacted]"),
        ('"GET /x?secret=wrong HTTP/1.1" 401', '"GET /x?secret=[redacted] HTTP/1.1" 401'),
        ('"http://h/x?secret=wrong" "agent"', '"http://h/x?secret=[redacted]" "agent"'),
        ("/x?secret=&b=2", "/x?secret=[redacted]&b=2"),
        ("/x?secrets=2", "/x?secrets=2"),
        ("/invoices/EGAC-2026-00042?key=IkVH:1wM", "/invoices/EGAC-2026-00042?key=[redacted]"),
        (
            "/invoices/EGAC-2026-00042.pdf?a=1&k%65y=I",
            "/invoices/EGAC-2026-00042.pdf?a=1&k%65y=[redacted]",
        ),
        ("/x?monkey=2", "/x?monkey=2"),
    ],
)
def test_hides_the_value_of_a_secret_in_an_address(address: str, hidden: str) -> None:
    assert redact(address) == hidden


def test_hides_a_secret_in_the_arguments_of_a_line() -> None:
    record = line("%s answered %d to %s", "Resend", 401, SECRET)

    assert record.getMessage() == f"Resend answered 401 to {REDACTED}"


def test_hides_a_secret_in_a_traceback() -> None:
    try:
        raise RuntimeError(f"cannot use {SECRET}")
    except RuntimeError:
        record = line("It broke", exc_info=sys.exc_info())

    told = logging.Formatter().format(record)

    assert SECRET not in told
    assert f"RuntimeError: cannot use {REDACTED}" in told


@pytest.mark.parametrize("args", [("one", "two"), ({"a": 1},), (object(),)])
def test_a_line_that_cannot_be_formatted_breaks_nobody(args: tuple[object, ...]) -> None:
    assert SECRET not in line(f"%d {SECRET} %(name)s", *args).getMessage()


def test_writes_one_json_object_a_line() -> None:
    try:
        raise RuntimeError(f"Zoë\ncannot use {SECRET}")
    except RuntimeError:
        record = line("It broke for %s\nand ✓", SECRET, exc_info=sys.exc_info())

    told = JsonFormatter().format(record)

    assert "\n" not in told
    parsed = json.loads(told)
    assert set(parsed) == {"at", "level", "logger", "message", "traceback"}
    assert parsed["message"] == f"It broke for {REDACTED}\nand ✓"
    assert parsed["level"] == "info"
    assert parsed["at"].endswith("+00:00")
    assert SECRET not in told


def test_json_names_the_run_and_the_row() -> None:
    row = SimpleNamespace(pk=7, _meta=SimpleNamespace(db_table="invites"))
    record = line("its lease was lost")
    record.__dict__.update(about(row))

    with keep_lines(12):
        told = json.loads(JsonFormatter().format(record))

    assert (told["run"], told["row"]) == ("12", "invites-7")


def test_a_line_outside_of_a_run_names_none() -> None:
    told = json.loads(JsonFormatter().format(line("hello")))

    assert told.keys().isdisjoint({"run", "row"})
    assert TextFormatter().format(line("hello")).endswith("INFO egac hello")


def test_text_names_the_run() -> None:
    with keep_lines(12):
        told = TextFormatter().format(line("hello"))

    assert told.endswith("INFO egac run 12: hello")


@pytest.mark.parametrize(
    "address",
    ["https://hooks.slack.com/services/T0/B0/hush", "https://hc-ping.com/5b0c-hush"],
)
def test_hides_the_path_of_an_address_that_is_a_secret(settings: Settings, address: str) -> None:
    settings.SLACK_WEBHOOK_URL = address
    path = address.partition(".com")[2]

    assert "hush" not in redact(f"Max retries exceeded with url: {path} (refused)")


@pytest.mark.django_db(transaction=True)
def test_the_threads_of_a_run_write_into_its_lines() -> None:
    InviteFactory()

    def break_down(message: object, key: str) -> str:
        raise RuntimeError(f"cannot send with {SECRET}")

    with keep_lines(12) as lines:
        Drain(Invite.objects.all(), replace(EMAIL, send=break_down)).run()

    assert "broke its sender" in lines.text
    assert f"RuntimeError: cannot send with {REDACTED}" in lines.text


@pytest.mark.parametrize("logger", ["django.server", "django.request", "egac.drain"])
def test_every_handler_that_is_configured_redacts(settings: Settings, logger: str) -> None:
    configured = settings.LOGGING["handlers"]

    assert all(handler["filters"] == ["redact"] for handler in configured.values())
    handlers = [h for h in handlers_of(logging.getLogger(logger)) if is_ours(h)]
    assert handlers
    assert all(any(isinstance(f, RedactSecrets) for f in handler.filters) for handler in handlers)


def handlers_of(logger: logging.Logger | None) -> list[logging.Handler]:
    found: list[logging.Handler] = []
    while logger:
        found += logger.handlers
        logger = logger.parent if logger.propagate else None
    return found


def is_ours(handler: logging.Handler) -> bool:
    """Leave out the handlers by which pytest captures."""
    return not type(handler).__module__.startswith("_pytest")


@pytest.mark.django_db
def test_a_refused_request_is_logged_without_its_secret(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/api/admin/invite-stats.json?secret=wrong-wrong-wrong")

    assert answer.status_code == 401
    assert "wrong-wrong-wrong" not in caplog.text
