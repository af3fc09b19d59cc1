"""What stands for databases of older programs, in tests of what `migrate` makes of them.

Each is a schema of its own in one database beside pytest-django's, and nothing else is on its
search path.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

from django.core.management import call_command
from django.db import OperationalError, connections

numbers = itertools.count()
GROUND = "0022_figures"  # the migration of egac that the apps' own stand on
NAMES = """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema::regnamespace
    UNION SELECT proname FROM pg_proc WHERE pronamespace = current_schema::regnamespace"""


class Lost(OperationalError):
    """The connection was lost."""


class Database:
    """What stands for a database of its own, and what a person at a terminal does with it."""

    app: str
    latest: str  # its last migration

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.ground: set[str] = set()  # names of what the ground made, before the app came

    def run(self, sql: str) -> list[Any]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def names(self) -> set[str]:
        """Return the names of all tables, indexes, sequences and functions but Django's own."""
        return {name for (name,) in self.run(NAMES) if "django" not in name}

    def lay_the_ground(self) -> None:
        """Make the tables of egac, on which the app's own stand."""
        self.migrate_app("egac", GROUND)
        self.ground = self.names()

    def left(self) -> set[str]:
        """Return the names of what is there beside the ground and Django's own."""
        return self.names() - self.ground

    def migrate(self, target: str = "") -> None:
        """Migrate the app that the tests are about, to its last migration or to another one."""
        self.migrate_app(self.app, target or self.latest)

    def migrate_app(self, app: str, target: str) -> None:
        call_command("migrate", app, target, database=self.alias, verbosity=0)


Kind = TypeVar("Kind", bound=Database)


@contextmanager
def beside_the_tests(name: str, blocker: Any) -> Iterator[str]:
    """Make a database beside pytest-django's, which would hold other aliases off."""
    name = f"{name}_{os.getpid()}"
    with blocker.unblock(), connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield name
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def making(kind: type[Kind], name: str) -> Iterator[Callable[..., Kind]]:
    """Yield a function that makes what stands for a database and runs SQL in it."""
    made: list[Kind] = []

    def make(*scripts: str) -> Kind:
        alias = f"adopted_{next(numbers)}"
        settings = deepcopy(connections["default"].settings_dict) | {"NAME": name}
        settings["OPTIONS"]["options"] = f"-c search_path={alias} -c synchronous_commit=off"
        connections.databases[alias] = settings
        made.append(kind(alias))
        made[-1].run(f"CREATE SCHEMA {alias}")
        made[-1].lay_the_ground()
        for script in filter(None, scripts):
            made[-1].run(script)
        return made[-1]

    yield make
    for database in made:
        database.run(f"DROP SCHEMA {database.alias} CASCADE")
        connections[database.alias].close()
        del connections[database.alias], connections.databases[database.alias]
