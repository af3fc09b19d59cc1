"""Databases of every test here: a new club's, and the club's own."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.egac.adopted import beside_the_tests, making
from tests.invites.adoption.club_tables import CLUB, ClubDatabase, Make, Schema


@pytest.fixture(scope="module")
def database_name(django_db_blocker: Any) -> Iterator[str]:
    with beside_the_tests("adoption", django_db_blocker) as name:
        yield name


@pytest.fixture
def make(database_name: str) -> Iterator[Make]:
    """Return a function that makes a database and runs SQL in it."""
    with making(ClubDatabase, database_name) as make:
        yield make


@pytest.fixture(scope="module")
def fresh_schema(database_name: str) -> Iterator[Schema]:
    """The schema of a new club's database, migrated."""
    with making(ClubDatabase, database_name) as make:
        database = make()
        database.migrate()
        yield database.schema()


@pytest.fixture
def fresh(make: Make) -> ClubDatabase:
    """A new club's database, migrated."""
    database = make()
    database.migrate()
    return database


@pytest.fixture
def club(make: Make) -> ClubDatabase:
    """The club's database as the older program left it."""
    return make(CLUB)
