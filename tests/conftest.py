"""Fixtures of every test: the local provider, a quick and open channel, no network beyond it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.fixtures import Settings

import egac.urls  # noqa: F401  finds the pages of the admin
from tests.emptying import empty
from tests.providers.server import ProviderServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SPECIFICATIONS = Path(__file__).resolve().parents[2] / "shared" / "specs"
IN_CI = os.environ.get("CI") == "true"
# Whoever uses one of these asks PostgreSQL, or has the mark `django_db`; no other test could.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "database_name"}
TAKES_LONGEST = "test_setup.py"  # begun first, so that nothing waits for it alone at the end

TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Give each run a test database of its own, so that two may go on side by side."""
    connection.settings_dict["TEST"]["NAME"] = f"test_egac_{os.getpid()}"


@pytest.fixture(scope="session")
def provider_server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def provider(provider_server: ProviderServer, settings: Settings) -> Iterator[ProviderServer]:
    """The local provider, empty, with the settings pointing at it."""
    provider_server.reset()
    settings.RESEND_API_URL = provider_server.url
    settings.WHATSAPP_API_URL = f"{provider_server.url}/v23.0"
    settings.ZOOM_API_URL = f"{provider_server.url}/v2"
    settings.ZOOM_OAUTH_URL = f"{provider_server.url}/oauth/token"
    settings.PROVIDER_TIMEOUT_SECONDS = 2.0
    settings.GITHUB_API_URL = provider_server.url
    settings.OPSGENIE_API_URL = f"{provider_server.url}/opsgenie"
    yield provider_server
    provider_server.reset()


@pytest.fixture
def alarms(provider: ProviderServer, settings: Settings) -> ProviderServer:
    """The local provider, with everybody configured who is told of alerts."""
    settings.GITHUB_TOKEN = "ghp_for_tests"
    settings.GITHUB_REPOSITORY = "club/ops"
    settings.SLACK_WEBHOOK_URL = f"{provider.url}/services/T0/B0/for-tests"
    settings.OPSGENIE_API_KEY = "genie-for-tests"
    return provider


@pytest.hookimpl(tryfirst=True)  # before the marks are chosen from
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != TAKES_LONGEST)
    for item in items:
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(_fixtures(item)):
            item.add_marker("database")
        if "browser" in item.keywords and not CHROMIUM:
            reason = "Chromium is not installed, so the browser tests are skipped."
            item.add_marker(pytest.mark.skip(reason=reason))
        if "ci_only" in item.keywords and not IN_CI:
            reason = "It makes users, clusters or crontabs, so it runs only where CI=true."
            item.add_marker(pytest.mark.skip(reason=reason))


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skip into a failure in CI, where nothing may be missing but the specifications."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    absent = "contract specifications absent" in str(report.longrepr)
    if IN_CI and report.skipped and not absent:
        report.outcome = "failed"
        report.longrepr = f"A skip is a failure in CI: {report.longrepr}"
