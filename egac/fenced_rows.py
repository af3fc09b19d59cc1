"""Changes of claimed rows by whoever holds their lease: the lease number is the fence."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, models

# What `update_each` writes, beside the id and the error, whose types are the table's own.
COLUMN_TYPES = {
    "lease_number": "bigint",
    "status": "text",
    "counts": "boolean",
    "in_doubt": "boolean",
    "repeats": "integer",
    "delay": "float",  # seconds
    "reason": "text",
    "provider_message_id": "text",
    "orphaned": "boolean",
    "rendered": "text",
    "recipients": "text[]",
}


class FencedRows(models.QuerySet[Any]):
    """Rows that a sender holds under a numbered lease."""

    def update_each(
        self, rows: Sequence[dict[str, Any]], changes: str, *, only: str = "true"
    ) -> set[Any]:
        """Change the rows named by id and lease number; return the ids of those that matched.

        The lease number is the fence: a sender whose lease went to another changes no row.
        `changes` reads the values of a row as `new.<name>`, for the names of COLUMN_TYPES.
        """
        columns = ", ".join(f"{name} {self._type_of(name)}" for name in rows[0])
        statement = (
            f"UPDATE {self.model._meta.db_table} AS outgoing SET {changes} "
            f"FROM json_to_recordset(%s) AS new({columns}) WHERE outgoing.id = new.id "
            f"AND outgoing.lease_number = new.lease_number AND {only} RETURNING outgoing.id"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(rows, default=str)])
            return {key for (key,) in cursor.fetchall()}

    def _type_of(self, name: str) -> str:
        return COLUMN_TYPES.get(name) or str(self.model._meta.get_field(name).db_type(connection))
