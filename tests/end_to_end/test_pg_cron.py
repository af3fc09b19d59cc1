"""PostgreSQL 15 with Debian's pg_cron, in a cluster of its own, wakes the worker by itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.end_to_end.cluster import Cluster, running_cluster
from tests.end_to_end.processes import ROOT

pytestmark = pytest.mark.ci_only

PG_CRON = (
    "shared_preload_libraries=pg_cron",
    "cron.database_name=egac",
    "cron.use_background_workers=on",
)
SECONDS = 75  # pg_cron looks at its clock once a minute


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster(*PG_CRON) as cluster:
        with connect(cluster, "postgres") as connection:
            connection.execute("CREATE DATABASE egac")
        yield cluster


def connect(cluster: Cluster, database: str = "egac") -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(cluster.folder), user="postgres", dbname=database, autocommit=True
    )


def manage(cluster: Cluster, *arguments: str) -> str:
    url = f"postgres://postgres@/egac?host={cluster.folder}"
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def test_pg_cron_wakes_the_worker_and_marks_nothing(cluster: Cluster) -> None:
    manage(cluster, "migrate", "--verbosity", "0")
    with connect(cluster) as listening, connect(cluster) as database:
        database.execute(manage(cluster, "pg_cron_sql"))
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
