"""PostgreSQL 15 with Debian's pg_cron, in a cluster of its own, wakes the worker by itself."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.end_to_end.processes import ROOT

pytestmark = pytest.mark.ci_only

PROGRAMS = Path(os.environ.get("EGAC_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c shared_preload_libraries=pg_cron "
    "-c cron.database_name=egac -c cron.use_background_workers=on"
)
SECONDS = 75  # pg_cron looks at its clock once a minute


@dataclass
class Cluster:
    """A server of the system user that PostgreSQL lets run one: it refuses root."""

    folder: Path

    def make(self) -> None:
        user = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("postgres")
        self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if os.geteuid() == 0:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.folder.chmod(0o755)
        self.run("initdb", "--username", "postgres", "--auth", "trust", "--no-sync")
        self.run("pg_ctl", "-w", "-o", f"-k {self.folder} {OPTIONS}", "-l", "log", "start")
        with self.connect("postgres") as connection:
            connection.execute("CREATE DATABASE egac")

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [PROGRAMS / program, "-D", "data", *arguments],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **(self.user if os.geteuid() == 0 else {}),
        )

    def connect(self, database: str = "egac") -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def manage(self, *arguments: str) -> str:
        url = f"postgres://postgres@/egac?host={self.folder}"
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp"))
    cluster = Cluster(folder)
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_pg_cron_wakes_the_worker_and_marks_nothing(cluster: Cluster) -> None:
    cluster.manage("migrate", "--verbosity", "0")
    with cluster.connect() as listening, cluster.connect() as database:
        database.execute(cluster.manage("pg_cron_sql"))
        jobs = database.execute("SELECT jobid, jobname, schedule FROM cron.job").fetchall()
        database.execute("SELECT cron.alter_job(%s, schedule := '* * * * *')", [jobs[0][0]])
        listening.execute("LISTEN notifications_queue")
        database.execute(
            "INSERT INTO notifications_queue (type, payload) VALUES ('staff_alert', '{}')"
        )
        told = list(listening.notifies(timeout=5, stop_after=1))  # by the table's own trigger

        woken = list(listening.notifies(timeout=SECONDS, stop_after=1))

        assert [name for _, name, _ in jobs] == ["process-queue"]
        assert jobs[0][2] == "*/2 * * * *"
        assert len(told) == len(woken) == 1
        assert woken[0].pid != told[0].pid
        rows = database.execute("SELECT status, attempts FROM notifications_queue").fetchall()
        assert rows == [("pending", 0)]
