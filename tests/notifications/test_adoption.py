"""The queue is taken over as it stands, extended, drained, and handed back as it was.

Every test has a schema of its own in a database of this module. Each stands for a whole database:
nothing else is on the search path.
"""

import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, ProgrammingError, connections
from django.test.utils import CaptureQueriesContext

from egac import adoption
from notifications.models import EmailBatch, Notification

Make = Callable[..., "Database"]
DATA = Path(__file__).resolve().parents[1] / "data"
QUEUE = (DATA / "queue_from_seed.sql").read_text()
INVITES = (DATA / "egac_before_send_attempts.sql").read_text()
NUMBERS = itertools.count()
EVERY_FEW = 7  # statements
CHECK = "notifications_queue_status_check"
FOUR_WORDS = "status IN ('pending', 'processing', 'completed', 'failed')"
LATEST = "0003_find_by_recipient"

TRACELESS = {  # nothing of these changes a column that was there
    "as it stands": "",
    "without the index on status": "DROP INDEX idx_notifications_queue_status",
    "without the index on scheduled_for": "DROP INDEX idx_notifications_queue_scheduled_for",
    "without a check": f"ALTER TABLE notifications_queue DROP CONSTRAINT {CHECK}",
    "a check of another name": f"""
        ALTER TABLE notifications_queue RENAME CONSTRAINT {CHECK} TO "Known words" """,
    "two checks": f"""
        ALTER TABLE notifications_queue ADD CONSTRAINT of_four CHECK ({FOUR_WORDS}) NOT VALID""",
    "status with a default": "ALTER TABLE notifications_queue ALTER status SET DEFAULT 'pending'",
    "further columns": """
        ALTER TABLE notifications_queue ADD sent_by TEXT DEFAULT 'worker', ADD "Odd Name" INT[];
        COMMENT ON TABLE notifications_queue IS 'the club''s own'""",
    "without rows": "DELETE FROM notifications_queue",
}
STAMP, NOW = "timestamp with time zone", "now()"
CONTRACT = {
    "id": ("integer", "NO", None),
    "status": ("text", "NO", "'pending'::text"),
    "type": ("text", "NO", None),
    "payload": ("jsonb", "NO", None),
    "attempts": ("integer", "NO", "0"),
    "error_message": ("text", "YES", None),
    "created_at": (STAMP, "NO", NOW),
    "updated_at": (STAMP, "NO", NOW),
    "scheduled_for": (STAMP, "YES", None),
}
OF_QUEUE = "= to_regclass('notifications_queue')"
SCHEMA = {
    "columns": """
        SELECT column_name, data_type, is_nullable, CASE WHEN column_name <> 'id'
            THEN column_default END FROM information_schema.columns
        WHERE table_schema = current_schema AND table_name = 'notifications_queue'
            AND column_name NOT IN ('sent_by', 'Odd Name') ORDER BY 1""",
    "rules": f"""
        SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid {OF_QUEUE} ORDER BY 1""",
    "indexes": f"""
        SELECT relname, replace(pg_get_indexdef(oid), current_schema || '.', ''), indisvalid
        FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid {OF_QUEUE} ORDER BY 1""",
    "triggers": f"""
        SELECT tgname, replace(pg_get_triggerdef(oid), current_schema || '.', '')
        FROM pg_trigger WHERE tgrelid {OF_QUEUE} AND NOT tgisinternal ORDER BY 1""",
}
COMMENTS = f"""
    SELECT objsubid, description FROM pg_description WHERE objoid {OF_QUEUE} ORDER BY 1"""
LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema::regnamespace
    UNION SELECT proname FROM pg_proc WHERE pronamespace = current_schema::regnamespace"""
NAMES = f"""
    SELECT attname FROM pg_attribute WHERE attnum > 0 AND attrelid {OF_QUEUE}
    UNION SELECT conname FROM pg_constraint WHERE contype <> 'n' AND conrelid {OF_QUEUE}
    UNION SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE indrelid {OF_QUEUE}"""
MARKED = f"""
    SELECT attname FROM pg_attribute
    WHERE col_description(attrelid, attnum) = '{adoption.MARK}' AND attrelid {OF_QUEUE}
    UNION SELECT conname FROM pg_constraint
    WHERE obj_description(oid, 'pg_constraint') = '{adoption.MARK}' AND conrelid {OF_QUEUE}
    UNION SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE obj_description(oid, 'pg_class') = '{adoption.MARK}' AND indrelid {OF_QUEUE}"""


class Lost(OperationalError):
    """The connection was lost."""


class Database:
    """What stands for a database of its own, and what a person at a terminal does with it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def run(self, sql: str) -> list[Any]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def migrate(self, target: str = LATEST, *, app: str = "notifications") -> None:
        call_command("migrate", app, target, database=self.alias, verbosity=0)

    def schema(self) -> dict[str, list[Any]]:
        return {what: self.run(sql) for what, sql in SCHEMA.items()}

    def rows(self) -> dict[int, dict[str, Any]]:
        """Return every row of the queue by its id."""
        rows = self.run("SELECT id, to_jsonb(queued)::text FROM notifications_queue AS queued")
        return {key: json.loads(row) for key, row in rows}

    def left(self) -> set[str]:
        """Return the names of all tables, indexes, sequences and functions but Django's own."""
        return {name for (name,) in self.run(LEFT) if "django" not in name}

    def dump(self) -> list[Any]:
        return [self.schema(), self.rows(), self.run(COMMENTS), self.left()]


def fails_at(step: int, database: Database, target: str = LATEST) -> bool:
    """Lose the connection before a statement; tell whether the migration got that far."""
    left = itertools.count(step, -1)

    def execute(run: Any, *arguments: Any) -> Any:
        if next(left) <= 0:
            raise Lost
        return run(*arguments)

    with connections[database.alias].execute_wrapper(execute), suppress(Lost):
        database.migrate(target)
        return False
    return True


@pytest.fixture(scope="module")
def database_name(django_db_blocker: Any) -> Iterator[str]:
    """Make a database beside pytest-django's, which would hold other aliases off."""
    name = f"queue_adoption_{os.getpid()}"
    with django_db_blocker.unblock(), connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield name
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make(database_name: str) -> Iterator[Make]:
    """Return a function that makes a database and runs SQL in it."""
    made: list[str] = []

    def make_one(*scripts: str) -> Database:
        alias = f"queue_{next(NUMBERS)}"
        made.append(alias)
        settings = deepcopy(connections["default"].settings_dict) | {"NAME": database_name}
        settings["OPTIONS"]["options"] = f"-c search_path={alias} -c synchronous_commit=off"
        connections.databases[alias] = settings
        database = Database(alias)
        for script in (f"CREATE SCHEMA {alias}", *filter(None, scripts)):
            database.run(script)
        return database

    yield make_one
    for alias in made:
        Database(alias).run(f"DROP SCHEMA {alias} CASCADE")
        connections[alias].close()
        del connections[alias], connections.databases[alias]


@pytest.fixture
def fresh(make: Make) -> Database:
    """A new club's database, migrated."""
    database = make()
    database.migrate()
    return database


@pytest.fixture
def queue(make: Make) -> Database:
    """The club's queue as the older worker left it."""
    return make(QUEUE)


@pytest.mark.parametrize("variant", TRACELESS)
def test_adopted_and_fresh_schemas_are_equal(make: Make, fresh: Database, variant: str) -> None:
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


@pytest.mark.parametrize("variant", TRACELESS)
def test_the_way_back_leaves_what_was_there(make: Make, variant: str) -> None:
    database = make(QUEUE, TRACELESS[variant])
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


@pytest.mark.parametrize("variant", ["as it stands", "without a check"])
def test_goes_forward_again_after_the_way_back(make: Make, fresh: Database, variant: str) -> None:
    database = make(QUEUE, TRACELESS[variant])
    database.migrate()
    database.migrate("zero")

    database.migrate()

    assert database.schema() == fresh.schema()


def test_the_schema_is_what_the_models_say(make: Make, fresh: Database) -> None:
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


def test_a_second_run_changes_nothing(queue: Database) -> None:
    queue.migrate()
    queue.run("UPDATE notifications_queue SET status = 'cancelled' WHERE status = 'failed'")
    before = queue.dump()
    queue.run("DELETE FROM django_migrations")

    queue.migrate()

    assert queue.dump() == before


def test_goes_on_after_a_failure_at_any_point(make: Make, fresh: Database) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(QUEUE)
        rows, failed = queue.rows().keys(), fails_at(step, queue)

        queue.migrate()

        assert queue.schema() == fresh.schema(), step
        assert queue.rows().keys() == rows, step
        if not failed:
            return


def test_goes_back_after_a_failure_at_any_point(make: Make) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(QUEUE)
        before, failed = queue.dump(), fails_at(step, queue)

        queue.migrate("zero")

        assert queue.dump() == before, step
        if not failed:
            return


@pytest.mark.parametrize("script", ["", QUEUE])
def test_goes_back_after_a_failure_on_the_way_back(make: Make, script: str) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(script)
        before = queue.dump() if script else None
        queue.migrate()
        failed = fails_at(step, queue, "zero")

        queue.migrate("zero")

        assert queue.dump() == before if script else queue.left() == set(), step
        if not failed:
            return


def test_what_was_added_is_marked_and_nothing_else(queue: Database) -> None:
    before = set(queue.run(NAMES))

    queue.migrate()

    added = set(queue.run(NAMES)) - before - {("notifications_queue_key_key",)}  # its column's
    assert set(queue.run(MARKED)) == added | {(CHECK,)}


def test_the_adopted_table_takes_the_word_cancelled(queue: Database) -> None:
    queue.migrate()

    queue.run("UPDATE notifications_queue SET status = 'cancelled'")

    with pytest.raises(IntegrityError, match=CHECK):
        queue.run("UPDATE notifications_queue SET status = 'skipped'")


def test_cancelled_rows_go_back_as_failed_with_their_reason(queue: Database) -> None:
    queue.migrate()
    queue.run("""
        UPDATE notifications_queue SET status = 'cancelled', reason = 'irrelevant',
        error_message = 'The invoice is paid.' WHERE id = 1""")
    queue.run("""
        UPDATE notifications_queue SET status = 'cancelled', reason = 'by_staff' WHERE id = 2""")

    queue.migrate("zero")

    told = "SELECT status, error_message FROM notifications_queue WHERE id < 3 ORDER BY id"
    assert queue.run(told) == [
        ("failed", "cancelled: irrelevant: The invoice is paid."),
        ("failed", "cancelled: by_staff: timeout"),
    ]
    with pytest.raises(IntegrityError, match=CHECK):
        queue.run("UPDATE notifications_queue SET status = 'cancelled'")


def test_a_fresh_queue_is_dropped_on_the_way_back(fresh: Database) -> None:
    fresh.run("INSERT INTO workers (name, kind, recorded) VALUES ('one', 'pass', 0)")

    fresh.migrate("zero")

    assert fresh.left() == set()


def test_a_fresh_queue_that_holds_rows_is_not_dropped(fresh: Database) -> None:
    fresh.run(
        "INSERT INTO notifications_queue (type, payload, status) VALUES ('x', '{}', 'cancelled')"
    )
    fresh.migrate("0001_initial")
    before = fresh.dump()

    with pytest.raises(adoption.Refused, match="DELETE FROM notifications_queue"):
        fresh.migrate("zero")

    assert fresh.dump() == before


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
    queue: Database, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    if target == "zero":
        queue.migrate("0001_initial")
    monkeypatch.setattr(adoption, "LOCK_TIMEOUT", "50ms")
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


@pytest.mark.parametrize("number", ["0001", "0002", "0003"])
def test_printing_the_sql_changes_nothing(queue: Database, number: str) -> None:
    before = queue.dump()

    call_command("sqlmigrate", "notifications", number, database=queue.alias, stdout=io.StringIO())

    assert queue.dump() == before


def test_both_legacies_are_adopted_in_one_database_and_handed_back(make: Make) -> None:
    database = make(INVITES, QUEUE)
    before = database.dump()
    database.migrate("0002_complete", app="invites")
    database.migrate()

    database.migrate("zero")
    database.migrate("zero", app="invites")

    assert database.dump() == before
