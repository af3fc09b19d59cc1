"""The queue's table as the older worker left it, its variants, and all that a schema says of it."""

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connections

from egac import adoption
from tests.egac.adopted import Database, Lost

DATA = Path(__file__).resolve().parents[2] / "data"
QUEUE = (DATA / "queue_from_seed.sql").read_text()
INVITES = (DATA / "egac_before_send_attempts.sql").read_text()
EVERY_FEW = 7  # statements
CHECK = "notifications_queue_status_check"
FOUR_WORDS = "status IN ('pending', 'processing', 'completed', 'failed')"

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


class QueueDatabase(Database):
    """A database with a queue."""

    app, latest = "notifications", "0007_failures_by_cause"

    def schema(self) -> dict[str, list[Any]]:
        return {what: self.run(sql) for what, sql in SCHEMA.items()}

    def rows(self) -> dict[int, dict[str, Any]]:
        """Return every row of the queue by its id."""
        rows = self.run("SELECT id, to_jsonb(queued)::text FROM notifications_queue AS queued")
        return {key: json.loads(row) for key, row in rows}

    def dump(self) -> list[Any]:
        return [self.schema(), self.rows(), self.run(COMMENTS), self.left()]


Make = Callable[..., QueueDatabase]


def fails_at(step: int, database: QueueDatabase, target: str = "") -> bool:
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
