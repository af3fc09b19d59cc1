"""Databases of every test here: a new club's, and one with the queue of the older worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.egac.adopted import beside_the_tests, making
from tests.notifications.adoption.queue_table import QUEUE, Make, QueueDatabase


@pytest.fixture(scope="module")
def database_name(django_db_blocker: Any) -> Iterator[str]:
    with beside_the_tests("queue_adoption", django_db_blocker) as name:
        yield name


@pytest.fixture
def make(database_name: str) -> Iterator[Make]:
    """Return a function that makes a database and runs SQL in it."""
    with making(QueueDatabase, database_name) as make:
        yield make


@pytest.fixture
def fresh(make: Make) -> QueueDatabase:
    """A new club's database, migrated."""
    database = make()
    database.migrate()
    return database


@pytest.fixture
def queue(make: Make) -> QueueDatabase:
    """The club's queue as the older worker left it."""
    return make(QUEUE)
