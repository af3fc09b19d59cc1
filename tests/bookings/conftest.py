"""Fixtures of the tests that ask Zoom."""

import pytest

from egac.providers import zoom
from egac.providers.zoom import Tokens
from tests.providers.server import ProviderServer


@pytest.fixture
def no_token_yet(provider: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the local Zoom be asked for a token of its own."""
    monkeypatch.setattr(zoom, "TOKENS", Tokens())
