"""Where a request comes from, and how often that address was wrong."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

Network = IPv4Network | IPv6Network
BY_SOCKET = "a local socket"  # only a server of this machine can connect to one


def client_address(request: HttpRequest) -> str:
    """Return the address of the client, behind the proxies that TRUSTED_PROXIES names."""
    return address_behind(
        settings.TRUSTED_PROXIES,
        remote=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.headers.get("x-forwarded-for", ""),
    )


def address_behind(proxies: Sequence[Network], *, remote: str, forwarded: str) -> str:
    """Return the last address of the chain that no proxy of ours has. Pure.

    Each proxy adds to the right what it saw, so the chain is believed from there, and only as
    far as our own proxies wrote it: a client may have sent anything as its beginning.
    """
    nearest = _plain(remote)
    for hop in reversed(forwarded.split(",")):
        address = _plain(hop)
        if not address or not _is_ours(nearest, proxies):
            break
        nearest = address
    return nearest or BY_SOCKET


def _plain(hop: str) -> str:
    """Return an address as it is usually written, or "" for what is none."""
    try:
        address = ip_address(hop.strip())
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _is_ours(address: str, proxies: Sequence[Network]) -> bool:
    """Return whether a proxy of ours has the address; behind a local socket stands one too."""
    if not address:
        return bool(proxies)
    return any(ip_address(address) in network for network in proxies)


class Throttle:
    """Counts the mistakes of each address in this process's memory, over a window of time."""

    def __init__(self, *, most: int, seconds: float, addresses: int) -> None:
        self.most, self.seconds, self.addresses = most, seconds, addresses
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()  # when begun, how many
        self._lock = threading.Lock()

    def count(self, address: str, *, at: float) -> float:
        """Count a mistake; return for how many seconds the address has had its fill, or 0.

        `at` is a time of time.monotonic.
        """
        with self._lock:
            began, count = self._windows.get(address, (at, 0))
            if at - began >= self.seconds:
                began, count = at, 0
                self._windows.pop(address, None)
            self._windows[address] = (began, count + 1)
            if len(self._windows) > self.addresses:
                self._windows.popitem(last=False)
        return began + self.seconds - at if count >= self.most else 0.0
