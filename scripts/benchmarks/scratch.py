"""Databases of a benchmark: how others reach the scratch one, and copies of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from django.db import connection
from psycopg import sql


def conninfo() -> dict[str, Any]:
    """Return how plain psycopg reaches the scratch database."""
    told = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    return {name: told[name] for name in names if told.get(name)}


def database_url() -> str:
    """Return the address of the scratch database, for a process of its own."""
    told = conninfo()
    user = quote(told.get("user", ""))
    password = f":{quote(told['password'])}" if told.get("password") else ""
    port = f"&port={told['port']}" if told.get("port") else ""
    host = told.get("host") or "localhost"
    return f"postgres://{user}{password}@/{told['dbname']}?host={host}{port}"


@contextmanager
def copy(name: str) -> Iterator[str]:
    """Copy the scratch database as it is now and yield the copy's name; drop it at the end."""
    connection.close()  # a database that is in use cannot be copied
    told = conninfo()
    copied = f"{told['dbname']}_{name}"
    words = {"copied": sql.Identifier(copied), "original": sql.Identifier(told["dbname"])}
    with psycopg.connect(**{**told, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {copied} TEMPLATE {original}").format(**words))
        try:
            yield copied
        finally:
            server.execute(sql.SQL("DROP DATABASE {copied}").format(**words))


@contextmanager
def using(name: str) -> Iterator[None]:
    """Let Django work in another database for a while."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
