"""Build an index while others read and write its table, marked as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

MARK = "added by EGAC Ops"
LOCK_TIMEOUT = "5s"
UNFINISHED = "_egac_unfinished"


def query(connection: BaseDatabaseWrapper, sql: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def brief_locks(connection: BaseDatabaseWrapper, *tables: str) -> Iterator[None]:
    """Run in a transaction that gives up soon rather than let everybody queue behind its wait."""
    with transaction.atomic(using=connection.alias):
        query(connection, f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        if tables:
            query(connection, f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        yield


def build_index(index: models.Index, model: type[models.Model], editor: Any) -> None:
    """Build an index; its name comes last, with its mark, so a try that broke off shows."""
    connection: BaseDatabaseWrapper = editor.connection
    scaffold = index.clone()
    scaffold.name = index.name + UNFINISHED
    for name in (index.name, scaffold.name):
        query(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    query(connection, str(scaffold.create_sql(model, editor, concurrently=True)))
    with brief_locks(connection):
        query(connection, f"ALTER INDEX {scaffold.name} RENAME TO {index.name}")
        query(connection, f"COMMENT ON INDEX {index.name} IS '{MARK}'")


class BuildIndexes(Operation):
    """Build indexes of a model; needs `atomic = False`, and may run again after it broke off."""

    reduces_to_sql = False

    def __init__(self, model: str, *indexes: models.Index) -> None:
        self.model, self.indexes = model, indexes

    def describe(self) -> str:
        return f"Build {', '.join(index.name for index in self.indexes)}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for index in self.indexes:
            state.add_index(app_label, self.model.lower(), index)

    def database_forwards(self, app_label: str, schema_editor: Any, _: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        for index in self.indexes:
            build_index(index, model, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        for index in self.indexes:
            for name in (index.name, index.name + UNFINISHED):
                query(schema_editor.connection, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
