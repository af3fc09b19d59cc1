"""Where a request comes from behind proxies, and how often an address was wrong."""

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from egac.clients import Throttle, address_behind, client_address

PROXIES = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        # No proxy of ours stands in front: what the header says is the client's own word.
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        # One of ours does: the client is what it saw.
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("::ffff:127.0.0.1", " 2001:db8::1 ", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        # Nothing but our own machines, or a header that cannot be read.
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, ", "127.0.0.1"),
        # The proxy reaches us by a socket of this machine.
        ("", "203.0.113.9", "203.0.113.9"),
        ("", "", "a local socket"),
    ],
)
def test_believes_the_chain_as_far_as_our_own_proxies_wrote_it(
    remote: str, forwarded: str, address: str
) -> None:
    assert address_behind(PROXIES, remote=remote, forwarded=forwarded) == address


@pytest.mark.parametrize("remote", ["127.0.0.1", ""])
def test_believes_no_header_while_no_proxy_is_named(remote: str) -> None:
    address = address_behind([], remote=remote, forwarded="203.0.113.9")

    assert address == (remote or "a local socket")


@given(st.text(alphabet="0123456789.,: abf", max_size=60))
@settings(deadline=None, max_examples=50)
def test_a_client_cannot_choose_its_address_by_what_it_sends(sent: str) -> None:
    forwarded = f"{sent}, 203.0.113.9"  # the proxy adds what it saw

    assert address_behind(PROXIES, remote="127.0.0.1", forwarded=forwarded) == "203.0.113.9"


def test_reads_the_proxies_from_the_settings(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = PROXIES

    request = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.9"})

    assert client_address(request) == "203.0.113.9"


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(most=3, seconds=60.0, addresses=2)


def test_an_address_has_its_fill_after_so_many_mistakes(throttle: Throttle) -> None:
    waits = [throttle.count("a", at=second) for second in (0, 1, 2, 3, 50)]

    assert waits == [0, 0, 0, 57, 10]


def test_the_mistakes_of_one_address_are_not_those_of_another(throttle: Throttle) -> None:
    for second in range(9):
        throttle.count("a", at=second)

    assert throttle.count("b", at=9) == 0


def test_an_address_starts_anew_after_its_window(throttle: Throttle) -> None:
    for second in range(9):
        throttle.count("a", at=second)

    assert throttle.count("a", at=60) == 0


def test_forgets_the_oldest_address_rather_than_filling_the_memory(throttle: Throttle) -> None:
    for number in range(1000):
        throttle.count(f"address {number}", at=0)

    assert list(throttle._windows) == ["address 998", "address 999"]
