"""Build an index while others read and write its table."""

from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from egac.adoption import MARK


class BuildIndexes(Operation):
    """Build indexes of a model; needs `atomic = False`, and may run again after it broke off.

    Each is marked as ours, so that a table of another program goes back as it came.
    """

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
            # An earlier try that broke off leaves an index that nobody uses.
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", None)
            schema_editor.execute(index.create_sql(model, schema_editor, concurrently=True), None)
            schema_editor.execute(f"COMMENT ON INDEX {index.name} IS '{MARK}'", None)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        for index in self.indexes:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", None)
