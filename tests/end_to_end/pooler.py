"""A throwaway pgbouncer in transaction mode in front of a throwaway PostgreSQL."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.cluster import PORT, Cluster, owned_by
from tests.providers.client import eventually

POOLER_PORT = 6432
# Two server connections for all: a client that leans on its session meets another's.
CONFIGURATION = """
[databases]
* = host={folder} port={port} user=postgres

[pgbouncer]
listen_port = {pooler_port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def running_pooler(cluster: Cluster) -> Iterator[int]:
    """Run it, and yield its port beside the cluster's socket."""
    folder = cluster.folder
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(folder=folder, port=PORT, pooler_port=POOLER_PORT), encoding="utf-8"
    )
    os.chown(file, cluster.user.pw_uid, cluster.user.pw_gid)
    process = subprocess.Popen(
        ["pgbouncer", str(file)],
        cwd="/",
        stderr=subprocess.DEVNULL,
        **owned_by(cluster.user),
    )
    try:
        assert eventually((folder / f".s.PGSQL.{POOLER_PORT}").exists), "pgbouncer does not start"
        yield POOLER_PORT
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
