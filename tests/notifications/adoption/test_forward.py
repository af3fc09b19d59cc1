"""The queue is taken over as it stands, and extended."""

import io
import itertools

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, ProgrammingError, connections
from django.test.utils import CaptureQueriesContext

from egac import adoption, indexing
from notifications.models import EmailBatch, Notification
from tests.notifications.adoption.queue_table import (
    CHECK,
    CONTRACT,
    EVERY_FEW,
    MARKED,
    NAMES,
    QUEUE,
    TRACELESS,
    Make,
    QueueDatabase,
    fails_at,
)


@pytest.mark.parametrize("variant", TRACELESS)
def test_adopted_and_fresh_schemas_are_equal(
    make: Make, fresh: QueueDatabase, variant: str
) -> None:
    adopted = make(QUEUE, TRACELESS[variant])

    adopted.migrate()

    assert adopted.schema() == fresh.schema()


@pytest.mark.parametrize("variant", TRACELESS)
def test_every_row_and_every_value_stays(make: Make, variant: str) -> None:
    database = make(QUEUE, TRACELESS[variant])
    before = database.rows()

    database.migrate()

    after = database.rows()
    assert after.keys() == before.keys()
    assert {key: {name: after[key][name] for name in before[key]} for key in before} == before


def test_the_schema_is_what_the_models_say(make: Make, fresh: QueueDatabase) -> None:
    by_django = make()
    with connections[by_django.alias].schema_editor() as editor:
        editor.create_model(EmailBatch)
        editor.create_model(Notification)

    ours, theirs = fresh.schema(), by_django.schema()

    assert [row[:3] for row in ours["columns"]] == [row[:3] for row in theirs["columns"]]
    named = {rule.name for rule in Notification._meta.constraints}
    assert {row for row in ours["rules"] if row[0] in named} <= set(theirs["rules"])
    named = {index.name for index in Notification._meta.indexes}
    assert {row for row in ours["indexes"] if row[0] in named} <= set(theirs["indexes"])


@pytest.mark.parametrize("script", ["", QUEUE])
def test_the_contract_holds_by_name_type_and_default(make: Make, script: str) -> None:
    database = make(script)

    database.migrate()

    schema = database.schema()
    assert {row[0]: row[1:] for row in schema["columns"] if row[0] in CONTRACT} == CONTRACT
    sql = "SELECT pg_get_serial_sequence('notifications_queue', 'id') IS NOT NULL"
    assert database.run(sql) == [(True,)]
    assert CHECK in {name for name, *_ in schema["rules"]}
    indexes = {name: definition for name, definition, _ in schema["indexes"]}
    assert indexes["idx_notifications_queue_status"].endswith("USING btree (status)")
    assert indexes["idx_notifications_queue_scheduled_for"].endswith("USING btree (scheduled_for)")


def test_a_second_run_changes_nothing(queue: QueueDatabase) -> None:
    queue.migrate()
    queue.run("UPDATE notifications_queue SET status = 'cancelled' WHERE status = 'failed'")
    before = queue.dump()
    queue.run("DELETE FROM django_migrations WHERE app = 'notifications'")

    queue.migrate()

    assert queue.dump() == before


def test_goes_on_after_a_failure_at_any_point(make: Make, fresh: QueueDatabase) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(QUEUE)
        rows, failed = queue.rows().keys(), fails_at(step, queue)

        queue.migrate()

        assert queue.schema() == fresh.schema(), step
        assert queue.rows().keys() == rows, step
        if not failed:
            return


def test_what_was_added_is_marked_and_nothing_else(queue: QueueDatabase) -> None:
    before = set(queue.run(NAMES))

    queue.migrate()

    added = set(queue.run(NAMES)) - before - {("notifications_queue_key_key",)}  # its column's
    assert set(queue.run(MARKED)) == added | {(CHECK,)}


def test_the_adopted_table_takes_the_word_cancelled(queue: QueueDatabase) -> None:
    queue.migrate()

    queue.run("UPDATE notifications_queue SET status = 'cancelled'")

    with pytest.raises(IntegrityError, match=CHECK):
        queue.run("UPDATE notifications_queue SET status = 'skipped'")


def test_an_unknown_word_stops_it_before_any_change(make: Make) -> None:
    queue = make(QUEUE, TRACELESS["without a check"])
    queue.run("UPDATE notifications_queue SET status = 'skipped' WHERE status = 'failed'")
    before = queue.dump()

    with pytest.raises(adoption.Refused, match=r"status holds .* 'skipped' \(rows: 2\)"):
        queue.migrate()

    assert queue.dump() == before


def test_another_programs_table_of_our_name_stays(make: Make) -> None:
    database = make("CREATE TABLE workers (name TEXT); INSERT INTO workers VALUES ('Amelia')")

    with pytest.raises(ProgrammingError, match="already exists"):
        database.migrate()
    database.migrate("zero")

    assert database.run("SELECT * FROM workers") == [("Amelia",)]


@pytest.mark.parametrize("target", ["0002_complete", "zero"])
def test_gives_up_soon_on_a_table_in_use(
    queue: QueueDatabase, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    if target == "zero":
        queue.migrate("0001_initial")
    monkeypatch.setattr(indexing, "LOCK_TIMEOUT", "50ms")
    before, reader = queue.dump(), connections[queue.alias].copy()
    reader.set_autocommit(False)
    reader.cursor().execute("SELECT FROM notifications_queue")

    with pytest.raises(OperationalError, match="lock timeout"):
        queue.migrate(target)

    reader.close()
    assert queue.dump() == before


def test_neither_reads_nor_builds_under_a_strong_lock(make: Make) -> None:
    queue = make(QUEUE, TRACELESS["without the index on status"])
    connections[queue.alias].force_debug_cursor = True
    with CaptureQueriesContext(connections[queue.alias]) as captured:
        queue.migrate()

    statements = [query["sql"] for query in captured if "notifications_queue" in query["sql"]]
    added = [sql for sql in statements if sql.startswith("ALTER") and "ADD CONSTRAINT" in sql]
    built = [sql for sql in statements if sql.startswith("CREATE INDEX")]
    assert len(added) >= 2
    assert all("NOT VALID" in sql for sql in added)
    assert len(built) == len(Notification._meta.indexes) + 1
    assert all("CONCURRENTLY" in sql for sql in built)


@pytest.mark.parametrize("number", ["0001", "0002", "0003", "0004", "0005"])
def test_printing_the_sql_changes_nothing(queue: QueueDatabase, number: str) -> None:
    before = queue.dump()

    call_command("sqlmigrate", "notifications", number, database=queue.alias, stdout=io.StringIO())

    assert queue.dump() == before
