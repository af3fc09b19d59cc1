"""What the queue takes beyond columns, rules and indexes: to adopt it, and to hand it back.

The older program knows four status words. A rule of its table that refuses a fifth, `cancelled`,
is set aside, and so is that `status` had no default. What gives both back is kept, as SQL, in the
comment of our function; the way back runs it.
"""

from typing import Any

from django.db import migrations

from egac.adoption import MARK, CompleteTables, LiveTable, brief_locks, query
from notifications.migrations._older_tables import CONTRACT_INDEXES

TABLE = "notifications_queue"
FUNCTION = f"notify_{TABLE}()"
WAY_BACK = f"{MARK}; the way back: "

MAKE_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION} RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('{TABLE}', '');
  RETURN NULL;
END $$;
"""
# A claim and what a sender records wake nobody: only what others make due does.
MAKE_TRIGGERS = f"""
CREATE OR REPLACE TRIGGER notifications_are_new AFTER INSERT ON {TABLE}
  FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION};
CREATE OR REPLACE TRIGGER notifications_are_requeued
  AFTER UPDATE OF status, scheduled_for ON {TABLE}
  FOR EACH ROW WHEN (NEW.status = 'pending' AND OLD.status <> 'processing')
  EXECUTE FUNCTION {FUNCTION};
"""
DROP_TRIGGERS = f"""
DROP TRIGGER IF EXISTS notifications_are_new ON {TABLE};
DROP TRIGGER IF EXISTS notifications_are_requeued ON {TABLE};
"""
DROP_FUNCTION = f"DROP FUNCTION IF EXISTS {FUNCTION}"

CHECKS_OF_STATUS = """
    SELECT conname, pg_get_expr(conbin, conrelid), pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE conrelid = to_regclass(%s) AND contype = 'c' AND attname = 'status'"""
FORGET_CANCELLED = f"""
    UPDATE {TABLE} SET status = 'failed', updated_at = now(),
        error_message = concat_ws(': ', 'cancelled', reason, error_message)
    WHERE status = 'cancelled'"""
HAS_REASONS = """
    SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = 'reason'
        AND NOT attisdropped"""
NEEDS_A_STATUS = """
    SELECT 1 FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attname = 'status' AND NOT atthasdef"""


class MakeTable(migrations.CreateModel):
    """Make a table of ours unless it is there, and drop it if it is: either may run again.

    Another program's table of that name is not ours, so making it fails, loudly.
    """

    def _is_ours(self, app_label: str, editor: Any, state: Any) -> bool:
        table = state.apps.get_model(app_label, self.name)._meta.db_table
        sql = "SELECT obj_description(to_regclass(%s), 'pg_class') = %s"
        return bool(query(editor.connection, sql, table, MARK)[0][0])

    def database_forwards(self, app_label: str, schema_editor: Any, before: Any, to: Any) -> None:
        if not self._is_ours(app_label, schema_editor, to):
            super().database_forwards(app_label, schema_editor, before, to)
            table = to.apps.get_model(app_label, self.name)._meta.db_table
            schema_editor.execute(f"COMMENT ON TABLE {table} IS '{MARK}'", None)
            # While statements are deferred, Django records a migration only after its commit.
            while schema_editor.deferred_sql:
                schema_editor.execute(schema_editor.deferred_sql.pop(0))

    def database_backwards(self, app_label: str, schema_editor: Any, before: Any, to: Any) -> None:
        if self._is_ours(app_label, schema_editor, before):
            super().database_backwards(app_label, schema_editor, before, to)


class CompleteQueue(CompleteTables):
    """Fill, check and index the queue while others use it, the contract's indexes included."""

    def live(self, app_label: str, editor: Any, state: Any) -> list[LiveTable]:
        tables = super().live(app_label, editor, state)
        for table in tables:
            table.model._meta.indexes = [*table.model._meta.indexes, *CONTRACT_INDEXES]
        return tables


def set_narrower_rules_aside(apps: Any, editor: Any) -> None:
    """Drop the older rules that refuse `cancelled`; note what gives the table its own back."""
    connection = editor.connection
    if not _is_there(connection):
        return
    with brief_locks(connection, TABLE):
        way_back = []
        if query(connection, NEEDS_A_STATUS, TABLE):
            way_back.append(f"ALTER TABLE {TABLE} ALTER status DROP DEFAULT;")
        for name, expression, definition in query(connection, CHECKS_OF_STATUS, TABLE):
            refuses = f"SELECT NOT ({expression}) FROM (SELECT 'cancelled'::text AS status) AS row"
            if query(connection, refuses)[0][0]:
                way_back.append(f'ALTER TABLE {TABLE} ADD CONSTRAINT "{name}" {definition};')
                query(connection, f'ALTER TABLE {TABLE} DROP CONSTRAINT "{name}"')
        if way_back:
            _note(connection, WAY_BACK + " ".join(way_back))


def restore_narrower_rules(apps: Any, editor: Any) -> None:
    """Give an adopted table its own rules back; ours are dropped by then."""
    connection = editor.connection
    sql = "SELECT obj_description(to_regprocedure(%s), 'pg_proc')"
    noted = query(connection, sql, FUNCTION)[0][0] or ""
    if noted.startswith(WAY_BACK) and _is_there(connection):
        with brief_locks(connection, TABLE):
            query(connection, noted.removeprefix(WAY_BACK))


def forget_cancelled(apps: Any, editor: Any) -> None:
    """Call cancelled rows failed, which the older program knows, and keep why as their error."""
    connection = editor.connection
    if query(connection, HAS_REASONS, TABLE):  # a way back that broke off has none any more
        with brief_locks(connection, TABLE):
            query(connection, FORGET_CANCELLED)


def _note(connection: Any, text: str) -> None:
    """Keep a text as the comment of our function; COMMENT takes no parameters."""
    sql = f"SELECT format('COMMENT ON FUNCTION {FUNCTION} IS %%L', %s)"
    query(connection, query(connection, sql, text)[0][0])


def _is_there(connection: Any) -> bool:
    return bool(query(connection, "SELECT to_regclass(%s)", TABLE)[0][0])
