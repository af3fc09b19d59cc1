"""A throwaway PostgreSQL for the tests that restart, cut off or pool it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.end_to_end.cluster import DATABASE, PORT, Cluster, running_cluster

TEMPLATE = "template_of_tests"


def turn_to(name: str, cluster: Cluster, changed: pytest.MonkeyPatch) -> None:
    """Let the ORM of this process speak to a database of the cluster."""
    connection.close()
    place = {"HOST": str(cluster.folder), "PORT": str(PORT), "USER": "postgres", "PASSWORD": ""}
    for key, value in {**place, "NAME": name}.items():
        changed.setitem(connection.settings_dict, key, value)


def run_sql(statement: str) -> None:
    """Run what no transaction may hold, beside the ORM's own database."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture(scope="session")
def migrated_cluster(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cluster]:
    """A running cluster with a template of our database."""
    with running_cluster() as cluster:
        with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as changed:
            turn_to("postgres", cluster, changed)
            run_sql(f"CREATE DATABASE {TEMPLATE}")
            turn_to(TEMPLATE, cluster, changed)
            call_command("migrate", verbosity=0)
            connection.close()
        yield cluster


@pytest.fixture
def cluster(migrated_cluster: Cluster, transactional_db: None) -> Iterator[Cluster]:
    """The cluster, with a fresh database to which the ORM is turned."""
    with pytest.MonkeyPatch.context() as changed:
        turn_to(DATABASE, migrated_cluster, changed)
        run_sql(f"CREATE DATABASE {DATABASE} TEMPLATE {TEMPLATE}")
        yield migrated_cluster
        connection.close()
        run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
