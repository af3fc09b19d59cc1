"""The club's tables are taken over as they stand, extended, and handed back as they were.

Every test has schemas of its own in the test database. Each stands for a whole database: nothing
else is on the search path.
"""

import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connections
from django.test.utils import CaptureQueriesContext

from egac import adoption
from invites.models import Enquiry, Invite

Schema = dict[str, list[Any]]
Make = Callable[..., "Database"]
ROOT = Path(__file__).resolve().parents[2]
CLUB = (ROOT / "tests/data/egac_before_send_attempts.sql").read_text()
SCRIPT = (ROOT / "scripts/migrations/20260102_add_send_attempts.sql").read_text()
ROLLBACK = (ROOT / "scripts/migrations/20260102_add_send_attempts_rollback.sql").read_text()
NUMBERS = itertools.count()

TRACELESS = {  # nothing of these changes a column that was there
    "as it stands": "",
    "without enquiries": "DROP TABLE enquiries CASCADE; UPDATE invites SET enquiry_id = NULL",
    "without invites": "DROP TABLE invites CASCADE",
    "further columns": """
        ALTER TABLE invites ADD squad TEXT DEFAULT 'U15', ADD "Odd Name" INTEGER[];
        ALTER TABLE enquiries ADD heard_by TEXT; COMMENT ON TABLE invites IS 'the club''s own'""",
}
VARIANTS = TRACELESS | {
    "attempts, some NULL": """
        ALTER TABLE invites ADD send_attempts INTEGER;
        UPDATE invites SET send_attempts = 2 WHERE status = 'sent'""",
    "attempts, required": "ALTER TABLE invites ADD send_attempts INTEGER NOT NULL DEFAULT 0",
    "attempts by the script for psql": SCRIPT,
    "an error as a JSON string": """
        ALTER TABLE invites ADD last_send_error JSONB;
        UPDATE invites SET last_send_error = '"Resend API error"' WHERE status = 'failed'""",
}
SCHEMA = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable,
            CASE WHEN column_name <> 'id' THEN column_default END
        FROM information_schema.columns
        WHERE table_schema = current_schema AND table_name IN ('enquiries', 'invites')
            AND column_name NOT IN ('squad', 'Odd Name', 'heard_by')
        ORDER BY 1, 2""",
    "rules": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid IN (to_regclass('enquiries'), to_regclass('invites')) ORDER BY 1, 2""",
    "indexes": """
        SELECT relname, replace(pg_get_indexdef(oid), current_schema || '.', ''), indisvalid
        FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE indrelid IN (to_regclass('enquiries'), to_regclass('invites')) ORDER BY 1""",
}
COMMENTS = """
    SELECT objoid::regclass::text, objsubid, description FROM pg_description
    WHERE objoid IN (to_regclass('enquiries'), to_regclass('invites')) ORDER BY 1, 2"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema::regnamespace"
ATTEMPTS = "SELECT right(token, 1), send_attempts FROM invites ORDER BY 1"


POINTS = [
    "COMMENT ON COLUMN invites.reason",
    'ADD CONSTRAINT "attempts_are_counted_up"',
    "UPDATE invites",
    "VALIDATE CONSTRAINT send_attempts",
    "SET NOT NULL",
    "VALIDATE CONSTRAINT an_invite_has_a_known_status",
    "RENAME TO invites_by_status",
    "COMMENT ON INDEX invites_by_status",
]
POINTS_ON_THE_WAY_BACK = [
    "DROP INDEX CONCURRENTLY invites_by_status",
    "DROP CONSTRAINT attempts_are_counted_up",
    "DROP COLUMN reason",
]
FAILED_TWICE = (
    """'[{"type": "invite_send_failed"}, {"type": "x"}, {"type": "invite_send_failed"}]'"""
)
NAMES = """
    SELECT attname FROM pg_attribute WHERE attnum > 0
        AND attrelid IN (to_regclass('enquiries'), to_regclass('invites'))
    UNION SELECT conname FROM pg_constraint WHERE contype <> 'n'
        AND conrelid IN (to_regclass('enquiries'), to_regclass('invites'))
    UNION SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid
    WHERE indrelid IN (to_regclass('enquiries'), to_regclass('invites'))"""
MARKED = f"""
    SELECT attname FROM pg_attribute WHERE col_description(attrelid, attnum) = '{adoption.MARK}'
        AND attrelid IN (to_regclass('enquiries'), to_regclass('invites'))
    UNION SELECT conname FROM pg_constraint
    WHERE obj_description(oid, 'pg_constraint') = '{adoption.MARK}'
        AND connamespace = current_schema::regnamespace
    UNION SELECT relname FROM pg_class WHERE obj_description(oid, 'pg_class') = '{adoption.MARK}'
        AND relnamespace = current_schema::regnamespace"""


class Lost(Exception):
    """The connection was lost."""


class Database:
    """What stands for a database of its own, and what a person at a terminal does with it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def run(self, sql: str) -> list[Any]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def migrate(self, target: str = "0002_complete") -> None:
        call_command("migrate", "invites", target, database=self.alias, verbosity=0)

    def forget(self, migration: str) -> None:
        """Lose the record that a migration was applied, as a lost connection does."""
        self.run(f"DELETE FROM django_migrations WHERE name = '{migration}'")

    def schema(self) -> Schema:
        return {what: self.run(sql) for what, sql in SCHEMA.items()}

    def values(self) -> dict[str, dict[str, Any]]:
        """Return every row of the club's tables by its key."""
        tables = [name for (name,) in self.run(TABLES) if name in ("enquiries", "invites")]
        rows = [self.run(f"SELECT id::text, to_jsonb({name})::text FROM {name}") for name in tables]
        return {key: json.loads(row) for key, row in itertools.chain(*rows)}

    def dump(self) -> list[Any]:
        return [self.schema(), self.values(), self.run(COMMENTS)]


def lose_connection(point: str, database: Database, target: str = "0002_complete") -> None:
    """Migrate, and lose the connection before the statement that holds these words."""

    def execute(run: Any, sql: Any, *rest: Any) -> Any:
        if point in str(sql):
            raise Lost
        return run(sql, *rest)

    with connections[database.alias].execute_wrapper(execute), pytest.raises(Lost):
        database.migrate(target)


def without_gaps(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without attempts where they are NULL: those are filled."""
    return {name: value for name, value in row.items() if (name, value) != ("send_attempts", None)}


@pytest.fixture(scope="module")
def database_name(django_db_blocker: Any) -> Iterator[str]:
    """Make a database beside pytest-django's, which would hold other aliases off."""
    name = f"adoption_{os.getpid()}"
    with django_db_blocker.unblock(), connections["default"]._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield name
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def create(database_name: str, *scripts: str) -> Database:
    """Make what stands for a database, and run SQL in it."""
    alias = f"adoption_{next(NUMBERS)}"
    settings = deepcopy(connections["default"].settings_dict) | {"NAME": database_name}
    settings["OPTIONS"]["options"] = f"-c search_path={alias} -c synchronous_commit=off"
    connections.databases[alias] = settings
    database = Database(alias)
    for script in (f"CREATE SCHEMA {alias}", *filter(None, scripts)):
        database.run(script)
    return database


def drop(database: Database) -> None:
    database.run(f"DROP SCHEMA {database.alias} CASCADE")
    connections[database.alias].close()
    del connections[database.alias], connections.databases[database.alias]


@pytest.fixture
def make(database_name: str) -> Iterator[Make]:
    """Return a function that makes databases for one test."""
    made: list[Database] = []

    def make_one(*scripts: str) -> Database:
        made.append(create(database_name, *scripts))
        return made[-1]

    yield make_one
    for database in made:
        drop(database)


@pytest.fixture(scope="module")
def fresh_schema(database_name: str) -> Iterator[Schema]:
    """The schema of a new club's database, migrated."""
    database = create(database_name)
    database.migrate()
    yield database.schema()
    drop(database)


@pytest.fixture
def fresh(make: Make) -> Database:
    """A new club's database, migrated."""
    database = make()
    database.migrate()
    return database


@pytest.fixture
def club(make: Make) -> Database:
    """The club's database as the older program left it."""
    return make(CLUB)


@pytest.mark.parametrize("variant", VARIANTS)
def test_adopted_and_fresh_schemas_are_equal(
    make: Make, fresh_schema: Schema, variant: str
) -> None:
    adopted = make(CLUB, VARIANTS[variant])

    adopted.migrate()

    assert adopted.schema() == fresh_schema


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_row_and_every_value_stays(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = {key: without_gaps(row) for key, row in database.values().items()}

    database.migrate()

    after = database.values()
    assert after.keys() == before.keys()
    assert {key: {name: after[key][name] for name in before[key]} for key in before} == before


def test_the_schema_is_what_the_models_say(make: Make, fresh_schema: Schema) -> None:
    by_django = make()
    with connections[by_django.alias].schema_editor() as editor:
        editor.create_model(Enquiry)
        editor.create_model(Invite)

    ours, theirs = fresh_schema, by_django.schema()

    assert [row[:4] for row in ours["columns"]] == [row[:4] for row in theirs["columns"]]
    named = {rule.name for rule in Invite._meta.constraints}
    assert {row for row in ours["rules"] if row[1] in named} <= set(theirs["rules"])
    named = {index.name for index in Invite._meta.indexes}
    assert {row for row in ours["indexes"] if row[0] in named} <= set(theirs["indexes"])


@pytest.mark.django_db
def test_the_state_is_what_the_models_say() -> None:
    call_command("makemigrations", "invites", check=True, dry_run=True, verbosity=0)


def test_infers_one_attempt_for_what_was_sent_accepted_or_failed(club: Database) -> None:
    club.migrate()

    assert club.run(ATTEMPTS) == [("1", 1), ("2", 1), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


@pytest.mark.parametrize(
    ("events", "attempts"),
    [
        (FAILED_TWICE, [("3", 2), ("5", 2)]),
        ("NULL", [("3", 1), ("5", 0)]),
        ("'{}'", [("3", 1), ("5", 0)]),
        ('\'[1, null, "invite_send_failed", {"type": []}]\'', [("3", 1), ("5", 0)]),
    ],
)
@pytest.mark.parametrize("way", ["migrate", "psql"])
def test_infers_as_many_attempts_as_failures_were_noted(
    club: Database, events: str, attempts: list[Any], way: str
) -> None:
    club.run(f"UPDATE enquiries SET events = {events}")

    club.run(SCRIPT) if way == "psql" else club.migrate()

    assert [row for row in club.run(ATTEMPTS) if row[0] in "35"] == attempts


def test_attempts_that_were_counted_stay_and_only_gaps_are_filled(make: Make) -> None:
    database = make(CLUB, VARIANTS["attempts, some NULL"])

    database.migrate()

    assert database.run(ATTEMPTS) == [("1", 1), ("2", 2), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


def test_a_second_run_changes_nothing(club: Database) -> None:
    club.migrate()
    before = club.dump()
    club.forget("0001_initial")
    club.forget("0002_complete")

    club.migrate()

    assert club.dump() == before


@pytest.mark.parametrize("point", POINTS)
def test_goes_on_after_a_failure(club: Database, fresh_schema: Schema, point: str) -> None:
    lose_connection(point, club)

    club.migrate()

    assert club.schema() == fresh_schema
    assert club.run(ATTEMPTS) == [("1", 1), ("2", 1), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


@pytest.mark.parametrize("point", POINTS)
def test_goes_back_after_a_failure(club: Database, point: str) -> None:
    before = club.dump()
    lose_connection(point, club)

    club.migrate("zero")

    assert club.dump() == before


@pytest.mark.parametrize("point", POINTS_ON_THE_WAY_BACK)
def test_goes_back_after_a_failure_on_the_way_back(club: Database, point: str) -> None:
    before = club.dump()
    club.migrate()
    lose_connection(point, club, "zero")

    club.migrate("zero")

    assert club.dump() == before


@pytest.mark.parametrize("variant", TRACELESS)
def test_the_way_back_leaves_what_was_there(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


@pytest.mark.parametrize("variant", sorted(VARIANTS.keys() - TRACELESS))
def test_the_way_back_drops_no_value_that_was_there(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = {key: without_gaps(row) for key, row in database.values().items()}
    database.migrate()

    database.migrate("zero")

    after = database.values()
    assert {key: {name: after[key][name] for name in before[key]} for key in before} == before


@pytest.mark.parametrize("variant", ["as it stands", "without enquiries", "attempts, some NULL"])
def test_goes_forward_again_after_the_way_back(
    make: Make, fresh_schema: Schema, variant: str
) -> None:
    database = make(CLUB, VARIANTS[variant])
    database.migrate()
    database.migrate("zero")

    database.migrate()

    assert database.schema() == fresh_schema


def test_what_was_added_is_marked_and_nothing_else(club: Database) -> None:
    before = set(club.run(NAMES))

    club.migrate()

    assert set(club.run(MARKED)) == set(club.run(NAMES)) - before


def test_a_fresh_table_is_marked_and_dropped_on_the_way_back(fresh: Database) -> None:
    fresh.migrate("zero")

    assert [name for (name,) in fresh.run(TABLES) if "django" not in name] == []


def test_a_fresh_table_that_holds_rows_is_not_dropped(fresh: Database) -> None:
    fresh.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    fresh.migrate("0001_initial")
    before = fresh.dump()

    with pytest.raises(adoption.Refused, match="DELETE FROM enquiries"):
        fresh.migrate("zero")

    assert fresh.dump() == before


def test_a_fresh_table_stays_when_its_mark_is_taken_away(fresh: Database) -> None:
    fresh.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    fresh.run("COMMENT ON TABLE enquiries IS NULL")

    fresh.migrate("zero")

    assert fresh.run("SELECT name FROM enquiries") == [("Amelia",)]
    assert fresh.run("SELECT to_regclass('invites')") == [(None,)]


def test_an_unknown_word_stops_it_before_any_change(club: Database) -> None:
    club.run("UPDATE invites SET status = 'it''s bounced' WHERE status = 'pending'")
    before = club.dump()

    with pytest.raises(
        adoption.Refused, match=r"invites\.status holds .* 'it''s bounced' \(rows: 3\)"
    ):
        club.migrate()

    assert club.dump() == before
    assert [name for (name,) in club.run(TABLES) if name.startswith("invites_")] == [
        "invites_pkey",
        "invites_token_key",
    ]


def test_the_update_that_it_names_lets_it_go_on(club: Database, fresh_schema: Schema) -> None:
    club.run("ALTER TABLE invites ALTER status DROP NOT NULL")
    club.run("UPDATE invites SET status = 'bounced' WHERE status = 'failed'")
    club.run("UPDATE invites SET status = NULL WHERE status = 'sent'")
    with pytest.raises(adoption.Refused) as refusal:
        club.migrate()

    for line in str(refusal.value).splitlines():
        if line.startswith("  UPDATE"):
            club.run(line)
    club.migrate()

    assert club.run("SELECT count(*) FROM invites WHERE status = 'cancelled'") == [(2,)]
    assert club.schema() == fresh_schema


def test_rules_under_another_name_count_as_there(club: Database) -> None:
    club.run("ALTER TABLE invites RENAME CONSTRAINT invites_enquiry_id_fkey TO of_an_enquiry")
    club.run("ALTER TABLE invites RENAME CONSTRAINT invites_token_key TO one_invite_per_token")
    before = {name for _, name, _ in club.schema()["rules"] if "not_null" not in name}

    club.migrate()

    after = {name for _, name, _ in club.schema()["rules"] if "not_null" not in name}
    assert after - before == {rule.name for rule in Invite._meta.constraints}


def test_a_reference_to_a_missing_row_is_kept(club: Database) -> None:
    club.run("DROP TABLE enquiries CASCADE")
    before = club.run("SELECT id, enquiry_id FROM invites ORDER BY 1")

    club.migrate()

    assert club.run("SELECT id, enquiry_id FROM invites ORDER BY 1") == before
    with pytest.raises(IntegrityError):
        club.run("INSERT INTO invites (token, enquiry_id) VALUES ('t', gen_random_uuid())")


@pytest.mark.parametrize("script", ["", CLUB])
def test_the_website_can_go_on_naming_only_its_own_columns(make: Make, script: str) -> None:
    database = make(script)
    database.migrate()

    database.run("INSERT INTO enquiries (name, email) VALUES ('Amelia', 'a@club.example')")
    database.run("INSERT INTO invites (token, enquiry_id) SELECT 'new', id FROM enquiries LIMIT 1")

    sql = "SELECT status, send_attempts, created_at <= now(), updated_at <= now() FROM invites"
    assert database.run(f"{sql} WHERE token = 'new'") == [("pending", 0, True, True)]


@pytest.mark.parametrize("script", ["", CLUB])
def test_the_database_itself_forgets_a_deleted_enquiry(make: Make, script: str) -> None:
    database = make(script)
    database.migrate()
    database.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    database.run("INSERT INTO invites (token, enquiry_id) SELECT 'n', id FROM enquiries LIMIT 1")

    database.run("DELETE FROM enquiries")

    assert database.run("SELECT enquiry_id FROM invites WHERE token = 'n'") == [(None,)]


def test_fifty_thousand_rows_are_adopted(club: Database, fresh_schema: Schema) -> None:
    club.run("UPDATE enquiries SET events = " + FAILED_TWICE)
    club.run("""
        INSERT INTO invites (token, enquiry_id, status)
        SELECT n || id::text, id, 'sent' FROM generate_series(1, 10000) AS n, enquiries""")

    club.migrate()

    assert club.run("SELECT sum(send_attempts) FROM invites WHERE status = 'sent'") == [(100_002,)]
    assert club.schema() == fresh_schema


def test_gives_up_soon_on_a_table_in_use(club: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "LOCK_TIMEOUT", "50ms")
    before, reader = club.dump(), connections[club.alias].copy()
    reader.set_autocommit(False)
    reader.cursor().execute("SELECT FROM invites")

    with pytest.raises(OperationalError, match="lock timeout"):
        club.migrate()

    reader.close()
    assert club.dump() == before


def test_looks_for_unknown_words_where_nobody_can_add_one(club: Database) -> None:
    with CaptureQueriesContext(connections[club.alias]) as captured:
        club.migrate()

    statements = [query["sql"] for query in captured]
    steps = ["SET LOCAL lock_timeout", "LOCK TABLE", "quote_literal", "ALTER TABLE"]
    first = [next(n for n, sql in enumerate(statements) if step in sql) for step in steps]
    assert first == sorted(first)


def test_neither_reads_nor_builds_under_a_strong_lock(club: Database) -> None:
    with CaptureQueriesContext(connections[club.alias]) as captured:
        club.migrate()

    statements = [query["sql"] for query in captured]
    added = [sql for sql in statements if "ADD CONSTRAINT" in sql]
    built = [sql for sql in statements if "CREATE INDEX" in sql]
    assert len(added) >= 3
    assert all("NOT VALID" in sql for sql in added)
    assert len(built) == len(Invite._meta.indexes)
    assert all("CONCURRENTLY" in sql for sql in built)


def test_an_invalid_index_is_built_anew(club: Database, fresh_schema: Schema) -> None:
    with pytest.raises(IntegrityError):
        club.run("CREATE UNIQUE INDEX CONCURRENTLY invites_open ON invites (status)")

    club.migrate()

    assert club.schema() == fresh_schema


@pytest.mark.parametrize("number", ["0001", "0002"])
def test_printing_the_sql_changes_nothing(club: Database, number: str) -> None:
    before = club.dump()

    call_command("sqlmigrate", "invites", number, database=club.alias, stdout=io.StringIO())

    assert club.dump() == before


def test_the_script_for_psql_may_run_again(club: Database) -> None:
    club.run(SCRIPT)
    club.run("UPDATE invites SET send_attempts = 7")
    before = club.dump()

    club.run(SCRIPT)

    assert club.dump() == before


def test_what_the_script_for_psql_added_is_not_ours(make: Make) -> None:
    database = make(CLUB, SCRIPT)
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


def test_the_script_for_psql_has_a_way_back(club: Database) -> None:
    club.run(SCRIPT)

    club.run(ROLLBACK)
    club.run(ROLLBACK)

    names = {row[1] for row in club.schema()["columns"]}
    assert "send_attempts" not in names
