"""No request goes out on a connection that the other end may have left: it would end in doubt."""

import time

import pytest

from egac.providers import http
from egac.providers.whatsapp import send, template_message
from tests.providers.server import ProviderServer

REMINDER = template_message(
    to="+447700900123", template="reminder", language="en_GB", variables=["Ana"], tag="row-7"
)


def test_a_server_that_forgets_idle_connections_makes_no_unknown_outcome(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.05)
    provider.forget_idle_connections(after=0.15)

    for _ in range(3):
        send(REMINDER, "key-1")
        time.sleep(0.3)

    assert len(provider.whatsapp.accepted) == 3


def test_a_server_that_closes_idle_connections_makes_no_unknown_outcome(
    provider: ProviderServer,
) -> None:
    for _ in range(3):
        send(REMINDER, "key-1")
        provider.close_idle_connections()

    assert len(provider.whatsapp.accepted) == 3
