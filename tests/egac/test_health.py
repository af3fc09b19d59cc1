"""/healthz asks nothing; /readyz says in sentences why this site must not be given work."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.heartbeat import Heartbeat
from notifications.models import Worker
from notifications.passes import run_pass
from tests.providers.server import ProviderServer


def test_a_living_process_says_so_without_the_database(client: Client) -> None:
    answer = client.get("/healthz")  # without the mark, a query would fail this test

    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.django_db
def test_is_ready_with_its_database_and_migrations(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "reasons": []})


@pytest.mark.django_db
def test_is_not_ready_before_migrate(client: Client) -> None:
    with connection.cursor() as cursor:
        last = "SELECT max(name) FROM django_migrations WHERE app = 'jobs'"
        cursor.execute(f"DELETE FROM django_migrations WHERE app = 'jobs' AND name = ({last})")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["The database lacks 1 migrations. Run manage.py migrate."]


@pytest.mark.django_db(transaction=True)
def test_is_not_ready_without_its_database_and_tells_nothing_about_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere/secret-place")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    [reason] = answer.json()["reasons"]
    assert reason.startswith("The database cannot be reached.")
    assert "secret-place" not in reason


@pytest.mark.django_db
def test_a_worker_is_asked_for_only_where_one_is_expected(
    client: Client, settings: Settings
) -> None:
    before = client.get("/readyz").status_code
    settings.WORKER_EXPECTED = True

    answer = client.get("/readyz")

    assert (before, answer.status_code) == (200, 503)
    assert "No worker was seen for 5 minutes" in answer.json()["reasons"][0]


@pytest.mark.django_db
def test_a_living_loop_is_a_worker_and_a_silent_one_is_not(
    client: Client, settings: Settings
) -> None:
    settings.WORKER_EXPECTED = True
    Heartbeat(Worker.Kind.LOOP).beat()

    alive = client.get("/readyz").status_code
    Worker.objects.update(seen_at=Now() - timedelta(minutes=6))

    assert (alive, client.get("/readyz").status_code) == (200, 503)


@pytest.mark.django_db(transaction=True)
def test_a_pass_of_cron_counts_as_a_worker(
    client: Client, settings: Settings, provider: ProviderServer
) -> None:
    settings.WORKER_EXPECTED = True

    run_pass(limit=10, seconds=5)

    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_asks_and_is_never_kept_by_a_cache(client: Client, path: str) -> None:
    answer = client.post(path)

    assert answer.status_code == 405
    assert "no-store" in answer["Cache-Control"]


def test_a_balancer_may_ask_without_tls(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 301
