"""Fixtures of the jobs: every secret set, no mistake of another test remembered, a site to call."""

import os
from datetime import datetime

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from egac.clients import Throttle
from jobs import callers
from jobs.alerts import watch_everything
from jobs.watchers import WATCHERS, Finding
from tests.jobs.calling import SECRETS
from tests.jobs.looks import NOON, Look
from tests.providers.server import ProviderServer


@pytest.fixture
def every_secret(settings: Settings) -> None:
    for name, value in SECRETS.items():
        setattr(settings, name, value)


@pytest.fixture(autouse=True)
def forgotten_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Throttle(most=20, seconds=60.0, addresses=10_000)
    monkeypatch.setattr(callers, "WRONG_SECRETS", fresh)


@pytest.fixture
def site(
    live_server: LiveServer, provider: ProviderServer, settings: Settings, every_secret: None
) -> dict[str, str]:
    """The environment in which callers of a site run: its address, and a secret for each call."""
    settings.ZOOM_ACCOUNT_ID = settings.ZOOM_CLIENT_ID = settings.ZOOM_CLIENT_SECRET = "zoom"
    return {
        "PATH": os.environ["PATH"],
        "SUPABASE_URL": live_server.url,
        "EDGE_FUNCTION_URL": live_server.url,
        "SUPABASE_SERVICE_ROLE_KEY": str(SECRETS["SERVICE_ROLE_KEY"]),
        "CRON_SECRET": str(SECRETS["CRON_SECRET"]),
        "SCHEDULER_SECRET_TOKEN": str(SECRETS["SCHEDULER_SECRET_TOKEN"]),
    }


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, provider: ProviderServer) -> Look:
    """Look around at an instant, and find just this."""
    for name in tuple(WATCHERS):
        monkeypatch.delitem(WATCHERS, name)
    found: list[Finding] = []
    monkeypatch.setitem(WATCHERS, "test", lambda now: iter(found))

    def look(*findings: Finding, at: datetime = NOON) -> None:
        found[:] = findings
        provider.github.now = at
        watch_everything(at)

    return look
