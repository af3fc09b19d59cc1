"""Take over tables that an older program made, and hand them back.

`AdoptTables` brings such tables, or none at all, to what the migration's state says, in one short
transaction: missing tables by the older program's own statements, so that names are the same, then
columns and rules. `CompleteTables`, with `atomic = False`, does what takes long. Both may rerun.

What is there stays; what is added gets the comment MARK in the same transaction. The way back drops
only that, and no table that holds rows: people wrote them, so it stops and says what to type.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.management.base import CommandError
from django.db import IntegrityError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from egac.indexing import MARK as MARK
from egac.indexing import UNFINISHED, build_index
from egac.indexing import brief_locks as brief_locks
from egac.indexing import query as query

ROWS_AT_ONCE = 5_000
COLUMNS = """
    SELECT attname, col_description(attrelid, attnum) = %s, attnotnull, atthasdef
    FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"""
RULES = """
    SELECT conname, obj_description(oid, 'pg_constraint') = %s, convalidated,
        replace(pg_get_constraintdef(oid), ' NOT VALID', '')
    FROM pg_constraint WHERE conrelid = to_regclass(%s)"""
INDEXES = """
    SELECT relname, obj_description(oid, 'pg_class') = %s, indisvalid, pg_get_indexdef(oid)
    FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = to_regclass(%s)"""

logger = logging.getLogger(__name__)


class Refused(CommandError):
    """The tables cannot be adopted or handed back; the message says what to type."""


class OlderTable(NamedTuple):
    """A table as the older program made it, and what the model cannot say about it.

    `base` is its CREATE TABLE; `rules` its constraints by name, as pg_get_constraintdef writes
    them; `fill` the SQL value (not null) of a required column in rows that have none.
    """

    model: str
    base: str
    rules: Mapping[str, str] = {}
    fill: Mapping[str, str] = {}


class Found(NamedTuple):
    """A thing in the catalogue; `firm` is not null (column), validated (rule), valid (index)."""

    ours: bool | None
    firm: bool
    definition: Any  # of a column: whether it has a default


def refuse_unknown_words(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Refuse rows whose word is none of the model's choices; the last one may replace any word."""
    table = model._meta.db_table
    there = {name for name, *_ in query(connection, COLUMNS, MARK, table)}
    for one in model._meta.local_concrete_fields:
        if one.choices and one.column in there:
            column, known = str(one.column), [str(word) for word, _ in one.flatchoices]
            sql = (
                f"SELECT coalesce(quote_literal({column}), 'NULL'), count(*) FROM {table} "
                f"WHERE NOT coalesce({column} = ANY(%s), {one.null}) GROUP BY 1 ORDER BY 1"
            )
            if counts := query(connection, sql, known):
                raise Refused(unknown_words(table, column, counts=counts, known=known))


def unknown_words(table: str, column: str, *, counts: list[Any], known: list[str]) -> str:
    found = ", ".join(f"{word} (rows: {count})" for word, count in counts)
    update = f"UPDATE {table} SET {column} = '{known[-1]}' WHERE {column} IS NOT DISTINCT FROM"
    return (
        f"{table}.{column} holds words that are not known here: {found}. Nothing was changed. "
        f"Known are {', '.join(known)}. Give each row one of them and run migrate again, for "
        "example by\n" + "\n".join(f"  {update} {word};" for word, _ in counts)
    )


class LiveTable:
    """A table as it stands in the database, beside the model that it shall serve."""

    def __init__(self, older: OlderTable, model: type[models.Model], editor: Any) -> None:
        self.older, self.model, self.editor = older, model, editor
        self.connection: BaseDatabaseWrapper = editor.connection
        self.name = model._meta.db_table
        self.fields: list[Any] = list(model._meta.local_concrete_fields)

    def found(self, catalogue: str) -> dict[str, Found]:
        return {
            name: Found(ours or name.endswith(UNFINISHED), *rest)
            for name, ours, *rest in query(self.connection, catalogue, MARK, self.name)
        }

    def is_ours(self) -> bool:
        sql = "SELECT obj_description(to_regclass(%s), 'pg_class') = %s"
        return bool(query(self.connection, sql, self.name, MARK)[0][0])

    def alter(self, *changes: str, params: Any = None) -> None:
        with brief_locks(self.connection):
            for change in changes:
                self.editor.execute(f"ALTER TABLE {self.name} {change}", params)

    def add(self, statement: str, *, marked: str, params: Any = None) -> None:
        with brief_locks(self.connection):
            self.editor.execute(statement, params)
            self.editor.execute(f"COMMENT ON {marked} IS '{MARK}'", None)

    def create(self) -> None:
        """Make the table as the older program did, unless it is there."""
        if not self.found(COLUMNS):
            self.add(self.older.base, marked=f"TABLE {self.name}")

    def add_columns(self) -> None:
        """Add what is missing: columns, and the defaults of columns that have none."""
        there = self.found(COLUMNS)
        for one in self.fields:
            column, found = one.column, there.get(one.column)
            if not found:
                sql, params = self.editor.column_sql(self.model, one)
                if column in self.older.fill:  # no default yet: older rows wait to be filled
                    sql, params = one.db_type(self.connection), None
                add = f"ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS {column} {sql}"
                self.add(add, marked=f"COLUMN {self.name}.{column}", params=params)
            if one.has_db_default() and not (found and found.definition):
                sql, params = self.editor.db_default_sql(one)
                self.alter(f"ALTER COLUMN {column} SET DEFAULT {sql}", params=params)

    def add_rules(self) -> None:
        """Add what is missing of the older program's rules and the model's, for new rows only."""
        there = self.found(RULES)
        definitions = {rule.definition for rule in there.values()}
        wanted = {
            name: f"ALTER TABLE {self.name} ADD CONSTRAINT {name} {definition}"
            for name, definition in self.older.rules.items()
            if definition not in definitions
        }
        for rule in self.model._meta.constraints:
            wanted[rule.name] = str(rule.create_sql(self.model, self.editor))
        for name, statement in wanted.items():
            if name not in there:
                self.add(f"{statement} NOT VALID", marked=f"CONSTRAINT {name} ON {self.name}")

    def require(self) -> None:
        """Forbid NULL where the model does, after the rows that hold it are filled."""
        there = self.found(COLUMNS)
        for one in self.fields:
            if not one.null and not there[one.column].firm:
                self._fill(one)
                self._forbid_null(one.column)

    def _fill(self, one: Any) -> None:
        """Write the value of `fill`, or else the default, a few rows at a time."""
        value, key = self.older.fill.get(one.column, "DEFAULT"), self.model._meta.pk.column
        sql = (
            f"UPDATE {self.name} SET {one.column} = {value} WHERE {one.column} IS NULL "
            f"AND {key} IN (SELECT {key} FROM {self.name} WHERE {one.column} IS NULL "
            f"LIMIT {ROWS_AT_ONCE}) RETURNING {key}"
        )
        filled = one.column in self.older.fill or one.has_db_default()
        while filled:
            with brief_locks(self.connection):
                filled = bool(query(self.connection, sql))

    def _forbid_null(self, column: str) -> None:
        """Read the rows for a check first: the strong lock is then held for a moment only."""
        check = column + UNFINISHED
        self.alter(f"DROP CONSTRAINT IF EXISTS {check}")
        self.alter(f"ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID")
        self.alter(f"VALIDATE CONSTRAINT {check}")
        self.alter(f"ALTER COLUMN {column} SET NOT NULL", f"DROP CONSTRAINT {check}")

    def validate(self) -> None:
        """Hold our rules against older rows; one that names a missing row is kept, and reported."""
        for name, rule in self.found(RULES).items():
            if rule.ours and not rule.firm:
                try:
                    self.alter(f"VALIDATE CONSTRAINT {name}")
                except IntegrityError as error:
                    if not rule.definition.startswith("FOREIGN KEY"):
                        raise
                    logger.warning("%s binds new rows only: %s", name, error)

    def build_indexes(self) -> None:
        """Build what is missing or invalid while others write."""
        there = self.found(INDEXES)
        for index in self.model._meta.indexes:
            if index.name not in there or not there[index.name].firm:
                build_index(index, self.model, self.editor)

    def drop_indexes(self, how: str = "") -> None:
        for name, index in self.found(INDEXES).items():
            if index.ours:
                query(self.connection, f"DROP INDEX {how} {name}")

    def drop_additions(self) -> None:
        """Drop what is ours: indexes, rules, and the columns of a table that stays."""
        self.drop_indexes()
        for name, rule in self.found(RULES).items():
            if rule.ours:
                self.alter(f"DROP CONSTRAINT {name}")
        for name, column in self.found(COLUMNS).items():
            if column.ours and not self.is_ours():
                self.alter(f"DROP COLUMN {name}")

    def refuse_to_lose_rows(self) -> None:
        if self.is_ours() and query(self.connection, f"SELECT 1 FROM {self.name} LIMIT 1"):
            raise Refused(
                f"{self.name} was made by EGAC Ops and holds rows, so it was not dropped. To keep "
                f"it, type COMMENT ON TABLE {self.name} IS NULL; to lose them, DELETE FROM "
                f"{self.name}; and run migrate again."
            )


class _OnOlderTables(Operation):
    reduces_to_sql = False  # it looks before it acts

    def __init__(self, *tables: OlderTable) -> None:
        self.tables = tables

    def describe(self) -> str:
        return str(self.__doc__)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state to the migration's other operations."""

    def live(self, app_label: str, editor: Any, state: ProjectState) -> list[LiveTable]:
        find = state.apps.get_model
        return [LiveTable(one, find(app_label, one.model), editor) for one in self.tables]


class AdoptTables(_OnOlderTables):
    """Make or extend the tables in one transaction: a refusal leaves nothing behind."""

    def database_forwards(self, app_label: str, schema_editor: Any, _: Any, to_state: Any) -> None:
        tables = self.live(app_label, schema_editor, to_state)
        there = [table.name for table in tables if table.found(COLUMNS)]
        with brief_locks(schema_editor.connection, *there):
            for table in tables:
                refuse_unknown_words(table.connection, table.model)
            for step in (LiveTable.create, LiveTable.add_columns, LiveTable.add_rules):
                for table in tables:
                    step(table)

    def database_backwards(self, app_label: str, schema_editor: Any, state: Any, _: Any) -> None:
        tables = self.live(app_label, schema_editor, state)
        there = [table for table in tables if table.found(COLUMNS)]
        with brief_locks(schema_editor.connection, *(table.name for table in there)):
            for step in (LiveTable.refuse_to_lose_rows, LiveTable.drop_additions):
                for table in there:
                    step(table)
            if ours := [table.name for table in there if table.is_ours()]:
                query(schema_editor.connection, f"DROP TABLE {', '.join(ours)}")


class CompleteTables(_OnOlderTables):
    """Fill, check and index the adopted tables while others use them."""

    def database_forwards(self, app_label: str, schema_editor: Any, _: Any, to_state: Any) -> None:
        for table in self.live(app_label, schema_editor, to_state):
            table.require()
            table.validate()
            table.build_indexes()

    def database_backwards(self, app_label: str, schema_editor: Any, state: Any, _: Any) -> None:
        for table in self.live(app_label, schema_editor, state):
            table.drop_indexes(how="CONCURRENTLY")
