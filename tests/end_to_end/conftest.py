"""A browser, and a throwaway PostgreSQL for the tests that restart, cut off or pool it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.end_to_end.browser import DESK, Open, launched
from tests.end_to_end.cluster import DATABASE, PORT, Cluster, running_cluster
from tests.staff import login

TEMPLATE = "template_of_tests"


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def troubles() -> list[str]:
    """What Chromium complained about: violations of the policy, errors of scripts."""
    return []


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, troubles: list[str]) -> Iterator[Open]:
    """Open a page of the admin, signed in as a member of a group."""
    contexts = []

    def open_page(path: str, *, client: Client | None = None, **options: Any) -> Page:
        session = (client or login("Managers")).cookies["sessionid"].value
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{live_server.url}/admin/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


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
