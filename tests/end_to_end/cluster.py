"""A throwaway PostgreSQL of this machine's own package, which a test may restart or cut off."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(os.environ.get("EGAC_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
PORT = 5432
DATABASE = "tests"  # of the test that runs
SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=60",
    "idle_in_transaction_session_timeout=3s",  # docs/operations.md asks for one
)


def throwaway_user() -> pwd.struct_passwd:
    """Return who runs servers that refuse to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def owned_by(user: pwd.struct_passwd) -> dict[str, Any]:
    """Return what makes `subprocess` run a program as this user."""
    if os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def run_as(user: pwd.struct_passwd, *command: str | Path) -> None:
    """Run a program as this user, who may not be able to enter our folder."""
    subprocess.run(command, cwd="/", check=True, capture_output=True, **owned_by(user))


@dataclass
class Cluster:
    """The server, and where it listens."""

    folder: Path  # holds its data and its socket
    user: pwd.struct_passwd
    addresses: Sequence[str] = ()  # beside the socket
    settings: Sequence[str] = SETTINGS

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        run_as(
            self.user,
            PROGRAMS / "initdb",
            "--pgdata",
            self.data,
            *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--no-sync"),
        )

    def let_in(self, network: str) -> None:
        """Let clients of a network in."""
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")

    def start(self) -> None:
        options = [f"-c {setting}" for setting in self.settings]
        options += [f"-p {PORT}", f"-k {self.folder}"]
        options += [f"-c listen_addresses='{','.join(self.addresses)}'"]
        self._control("start", "--log", str(self.folder / "log"), "-o", " ".join(options))

    def stop(self, mode: str = "immediate") -> None:
        self._control("stop", "--mode", mode)

    def restart(self, mode: str) -> None:
        """Stop and start; `immediate` is what a crash is."""
        self.stop(mode)
        self.start()

    def _control(self, *arguments: str) -> None:
        run_as(self.user, PROGRAMS / "pg_ctl", "--pgdata", self.data, "--wait", *arguments)


@contextmanager
def running_cluster(*settings: str) -> Iterator[Cluster]:
    """Make a cluster and run it, with further settings; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp"))
    user = throwaway_user()
    folder.chmod(0o755)
    os.chown(folder, user.pw_uid, user.pw_gid)
    cluster = Cluster(folder, user, settings=(*SETTINGS, *settings))
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        if (cluster.data / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder)
