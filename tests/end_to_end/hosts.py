"""Two hosts on one machine: network namespaces, each with a name and a folder for locks of its own.

Each reaches the database and the provider by links of their own, so that one can be cut.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CLONE_NEWNET = 0x40000000  # of linux/sched.h
NAMES = ("alpha", "beta")
SHELL = 'hostname "$0" && exec "$@"'


@dataclass(frozen=True)
class Link:
    """A pair of interfaces between this machine and a host, and what lies behind it."""

    outside: str
    inside: str
    first: str  # ours of its two addresses
    second: str
    leads_to: str

    def lay(self, namespace: str) -> None:
        ip("link", "add", self.outside, "type", "veth", "peer", self.inside, "netns", namespace)
        ip("address", "add", f"{self.first}/30", "dev", self.outside)
        ip("link", "set", self.outside, "up")
        ip("-n", namespace, "address", "add", f"{self.second}/30", "dev", self.inside)
        ip("-n", namespace, "link", "set", self.inside, "up")
        ip("-n", namespace, "route", "add", self.leads_to, "via", self.first)

    def cut(self) -> None:
        """Lose every packet, without a word to either end."""
        ip("link", "set", self.outside, "down")

    def mend(self) -> None:
        ip("link", "set", self.outside, "up")


@dataclass(frozen=True)
class Host:
    """A host of the network, and how a program is started on it."""

    name: str
    namespace: str
    to_database: Link
    to_provider: Link

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return the command line that runs Python with these arguments on this host."""
        entered = ("ip", "netns", "exec", self.namespace, "unshare", "--uts")
        return (*entered, "sh", "-c", SHELL, self.name, sys.executable, *arguments)


@dataclass
class Network:
    """Two hosts, and the addresses at which they find the database and the provider."""

    prefix: str
    hosts: list[Host] = field(default_factory=list)

    @property
    def database(self) -> str:
        return f"{self.prefix}.253"

    @property
    def provider(self) -> str:
        return f"{self.prefix}.254"

    def lay(self) -> None:
        for address in (self.database, self.provider):
            ip("address", "add", f"{address}/32", "dev", "lo")
        for number, name in enumerate(NAMES):
            namespace = f"egac-{os.getpid()}-{name}"
            ip("netns", "add", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
            links = (self._link(number, "d", self.database), self._link(number, "p", self.provider))
            self.hosts.append(Host(name, namespace, *links))
            for link in links:
                link.lay(namespace)

    def _link(self, host: int, letter: str, leads_to: str) -> Link:
        start = 8 * host + (4 if letter == "p" else 0)
        name = f"egac{letter}{host}"
        addresses = (f"{self.prefix}.{start + 1}", f"{self.prefix}.{start + 2}")
        return Link(name, f"{name}i", *addresses, leads_to)

    def remove(self) -> None:
        for host in self.hosts:
            ip("netns", "delete", host.namespace)  # its ends of the links go with it
        for address in (self.database, self.provider):
            ip("address", "delete", f"{address}/32", "dev", "lo")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def private_network() -> Iterator[None]:
    """Give this thread, and what it starts, a network of their own.

    Chromium drops its requests when an interface of its machine comes or goes, and browser tests
    run meanwhile.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as home:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no network namespace could be made")
        try:
            ip("link", "set", "lo", "up")
            yield
        finally:
            if libc.setns(home.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "no way back to the machine's network")


@contextmanager
def two_hosts() -> Iterator[Network]:
    with private_network():
        network = Network("10.213.0")
        try:
            network.lay()
            yield network
        finally:
            network.remove()
