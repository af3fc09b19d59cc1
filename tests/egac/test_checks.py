"""The system checks: an id and a hint that says what to type."""

from collections.abc import Callable

import pytest
from django.core.checks import CheckMessage
from django.db import connection
from pytest_django.fixtures import Settings

from egac.checks import (
    check_idle_transactions,
    check_links,
    check_providers,
    check_replies,
    check_secrets,
    check_staff,
    check_words,
)

Check = Callable[[], list[CheckMessage]]


@pytest.mark.parametrize(
    ("check", "setting", "value", "id_"),
    [
        (check_providers, "RESEND_API_KEY", "", "egac.W001"),
        (check_providers, "RESEND_FROM", "", "egac.W001"),
        (check_providers, "WHATSAPP_TOKEN", "", "egac.W001"),
        (check_links, "SITE_BASE_URL", "", "egac.W002"),
        (check_secrets, "CRON_SECRET", "", "egac.W003"),
        (check_replies, "REPLY_TO", "", "egac.W004"),
        (check_secrets, "CRON_SECRET", "x" * 15, "egac.W003"),
        (check_secrets, "METRICS_TOKEN", "x" * 15, "egac.W003"),
        (check_secrets, "SERVICE_ROLE_KEY", "x" * 15, "egac.W003"),
        (check_secrets, "SCHEDULER_SECRET_TOKEN", "x" * 15, "egac.W003"),
    ],
)
def test_warns_and_says_what_to_type(
    settings: Settings, check: Check, setting: str, value: str, id_: str
) -> None:
    setattr(settings, setting, value)

    [warning] = check()

    assert warning.id == id_
    assert setting in warning.msg
    assert f"Write {setting}=" in str(warning.hint)
    assert not value or value not in f"{warning.msg}{warning.hint}"


@pytest.mark.parametrize("check", [check_providers, check_links, check_secrets, check_replies])
def test_says_nothing_while_all_is_well(check: Check, settings: Settings) -> None:
    settings.REPLY_TO = "office@club.example"

    assert check() == []


def test_warns_of_a_github_that_is_configured_by_half(settings: Settings) -> None:
    settings.GITHUB_TOKEN = "ghp_for_tests"

    [warning] = check_providers()

    assert warning.msg == "GITHUB_REPOSITORY is missing, so no GitHub issue can be opened."


def test_warns_of_staff_whom_no_alert_would_reach(settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = ["mia@club.example", "tom at club"]

    [warning] = check_staff()

    assert "'tom at club'" in warning.msg
    assert warning.id == "egac.W005"


def test_email_that_is_not_configured_at_all_is_no_fault(settings: Settings) -> None:
    settings.RESEND_API_KEY = settings.RESEND_FROM = ""

    assert check_providers() == check_replies() == []


@pytest.mark.django_db
def test_asks_for_an_end_of_idle_transactions_in_production(settings: Settings) -> None:
    settings.DEBUG = False

    [warning] = check_idle_transactions(databases=["default"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '1min'")
    after = check_idle_transactions(databases=["default"])

    assert warning.id == "egac.W006"
    assert "ALTER DATABASE" in str(warning.hint)
    assert after == []


@pytest.mark.django_db
def test_an_unknown_status_stops_migrate_and_says_what_to_type() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invites DROP CONSTRAINT an_invite_has_a_known_status")
        cursor.execute("INSERT INTO invites (token, status) VALUES ('a', 'gone'), ('b', 'gone')")

    [error] = check_words(databases=["default"])

    assert "'gone' (rows: 2)" in error.msg
    assert "UPDATE invites SET status = 'cancelled'" in error.msg


@pytest.mark.django_db
def test_known_words_let_migrate_go_on() -> None:
    assert check_words(databases=["default"]) == []
