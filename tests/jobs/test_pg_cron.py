"""The statements for pg_cron, run in a database where small tables stand in for its extensions.

tests/end_to_end/test_pg_cron.py runs them with the real one.
"""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from jobs.registry import JOBS
from notifications.models import Notification
from notifications.worker import CHANNEL
from tests.end_to_end.processes import database_url
from tests.notifications.factories import email, queue

pytestmark = pytest.mark.django_db(transaction=True)

SITE = "https://ops.club.example"
STAND_INS = """
CREATE SCHEMA cron;
CREATE TABLE cron.job (
  jobid bigserial, jobname text UNIQUE, schedule text NOT NULL, command text NOT NULL
);
CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO cron.job (jobname, schedule, command) VALUES ($1, $2, $3)
  ON CONFLICT (jobname) DO UPDATE SET schedule = $2, command = $3 RETURNING jobid
$$;
CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS $$
  DELETE FROM cron.job WHERE jobid = $1 RETURNING true
$$;
CREATE SCHEMA net;
CREATE TABLE net.asked (url text, body jsonb, headers jsonb, timeout integer);
CREATE FUNCTION net.http_post(
  url text, body jsonb, params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}',
  timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO net.asked VALUES (url, body, headers, timeout_milliseconds) RETURNING 1::bigint
$$;
CREATE SCHEMA vault;
CREATE TABLE vault.decrypted_secrets (name text, decrypted_secret text);
"""
ROLES = "FROM PUBLIC, anon, authenticated"  # the last two are Supabase's
TAKEN_AWAY = """
DROP SCHEMA cron, net, vault CASCADE;
DROP FUNCTION IF EXISTS process_notifications_queue();
DROP FUNCTION IF EXISTS egac_start(text);
"""


@pytest.fixture
def stand_ins() -> Iterator[None]:
    sql(STAND_INS)
    yield
    sql(TAKEN_AWAY)


def sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def printed(*options: str) -> str:
    out = StringIO()
    call_command("pg_cron_sql", *options, stdout=out)
    return out.getvalue()


def schedule(*options: str) -> None:
    """Run what the command prints, without what only the real extensions and Supabase have."""
    lines = printed(*options).replace(ROLES, "FROM PUBLIC").splitlines()
    sql("\n".join(line for line in lines if not line.startswith("CREATE EXTENSION")))


def start(name: str) -> None:
    """Do what pg_cron does when a job's time has come."""
    for (command,) in sql(f"SELECT command FROM cron.job WHERE jobname = '{name}'"):
        sql(command)


def heard_while(act: Any) -> list[str]:
    """Return the channels on which something was told during the act."""
    with psycopg.connect(database_url(), autocommit=True) as listening:
        listening.execute(f"LISTEN {CHANNEL}")
        act()
        return [told.channel for told in listening.notifies(timeout=0.2, stop_after=1)]


def test_wakes_the_worker_where_a_message_is_due_and_marks_none(stand_ins: None) -> None:
    row = queue(email())
    schedule()

    heard = heard_while(lambda: start("process-queue"))

    before = row.updated_at
    row.refresh_from_db()
    assert heard == [CHANNEL]
    assert (row.status, row.updated_at) == (Notification.Status.PENDING, before)


def test_lets_the_worker_sleep_where_none_is_due(stand_ins: None) -> None:
    queue(email(), status=Notification.Status.COMPLETED)
    schedule()

    assert heard_while(lambda: start("process-queue")) == []


def test_scheduled_twice_it_stands_there_once(stand_ins: None) -> None:
    for _ in range(2):
        schedule()

    assert sql("SELECT jobname, schedule FROM cron.job") == [
        ("process-queue", JOBS["run_worker_queue"].schedule)
    ]


def test_starts_every_job_that_has_an_address(stand_ins: None, settings: Settings) -> None:
    settings.OPS_BASE_URL = SITE
    sql("INSERT INTO vault.decrypted_secrets VALUES ('egac_cron_secret', 'from-the-vault')")

    schedule("--supabase")

    names = [name for (name,) in sql("SELECT jobname FROM cron.job ORDER BY jobid")]
    for name in names:
        start(name)
    asked = sql("SELECT url, body, headers ->> 'Authorization', timeout FROM net.asked")
    paths = {each[0].removeprefix(SITE) for each in asked}
    assert paths == {
        "/api/admin/retry-invites.json",
        *(f"/functions/v1/{job.functions[0]}" for job in JOBS.values() if job.functions),
    }
    assert {each[1:] for each in asked} == {("{}", "Bearer from-the-vault", 30_000)}


def test_an_update_leaves_no_job_of_before(stand_ins: None) -> None:
    sql("SELECT cron.schedule('gone', '0 0 * * *', $$SELECT egac_start('/gone')$$)")
    sql("SELECT cron.schedule('backup', '0 0 * * *', 'SELECT 1')")

    schedule("--supabase", "--url", SITE)

    names = {name for (name,) in sql("SELECT jobname FROM cron.job")}
    assert "gone" not in names
    assert {"backup", "process-queue", "generate-t5-invoices"} <= names


def test_names_the_secret_that_the_vault_lacks(stand_ins: None) -> None:
    schedule("--supabase", "--url", SITE)

    with pytest.raises(Exception, match="holds no egac_cron_secret"):
        start("generate-t5-invoices")


def test_lets_nobody_else_call_the_functions(stand_ins: None) -> None:
    schedule("--supabase", "--url", SITE)

    for function in ("egac_start(text)", "process_notifications_queue()"):
        allowed = f"SELECT has_function_privilege('pg_monitor', '{function}', 'execute')"
        assert sql(allowed) == [(False,)]
    assert ROLES in printed("--supabase", "--url", SITE)


def test_prints_no_secret(settings: Settings) -> None:
    settings.CRON_SECRET = settings.SERVICE_ROLE_KEY = "a-canary-of-the-tests"

    assert "canary" not in printed() + printed("--supabase", "--url", SITE)


@pytest.mark.parametrize("url", ["", "http://ops.club.example", "https://x'; DROP TABLE invites"])
def test_refuses_an_address_that_would_show_the_secret(url: str) -> None:
    with pytest.raises(CommandError, match="--url https://") as refused:
        printed("--supabase", "--url", url)

    assert refused.value.returncode == 2
