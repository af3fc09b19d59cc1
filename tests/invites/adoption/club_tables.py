"""The club's tables as the older program left them, their variants, and what a schema says."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from egac import adoption
from tests.egac.adopted import Database, Lost

ROOT = Path(__file__).resolve().parents[3]
CLUB = (ROOT / "tests/data/egac_before_send_attempts.sql").read_text()
SCRIPT = (ROOT / "scripts/migrations/20260102_add_send_attempts.sql").read_text()
ROLLBACK = (ROOT / "scripts/migrations/20260102_add_send_attempts_rollback.sql").read_text()
Schema = dict[str, list[Any]]

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


class ClubDatabase(Database):
    """A database with enquiries and invites."""

    app, latest = "invites", "0024_failures_by_cause"

    def schema(self) -> Schema:
        return {what: self.run(sql) for what, sql in SCHEMA.items()}

    def values(self) -> dict[str, dict[str, Any]]:
        """Return every row of the club's tables by its key."""
        tables = [name for (name,) in self.run(TABLES) if name in ("enquiries", "invites")]
        rows = [self.run(f"SELECT id::text, to_jsonb({name})::text FROM {name}") for name in tables]
        return {key: json.loads(row) for key, row in itertools.chain(*rows)}

    def dump(self) -> list[Any]:
        return [self.schema(), self.values(), self.run(COMMENTS)]


Make = Callable[..., ClubDatabase]


def lose_connection(point: str, database: ClubDatabase, target: str = "") -> None:
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
