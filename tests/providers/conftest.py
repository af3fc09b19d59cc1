"""The server under test, for the tests in this folder."""

import pytest

from tests.providers.server import ProviderServer


@pytest.fixture(scope="session")
def running():
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running
