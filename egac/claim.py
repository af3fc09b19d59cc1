"""The statement that takes due rows for a sender: compiled once, run for every claim of a pass.

A claim need not outlive a crash of the server: no call has begun, and whoever claims its rows anew
gets another lease number. So its commit waits for no disk; that of the start of a call does.
Whoever was idle asks in the same statement for leave to call: that saves a round trip.
"""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from django.db import connection, models

from egac.instants import InstantField, readable
from egac.slots import GRANT, UNHURRIED, Slots, asking, placed

# What no sender reads: not fetched with a claim. Django would fetch it when it is asked for.
UNREAD = {
    "due_at",
    "updated_at",
    "sent_at",
    "preview",
    "provider_message_id",
    "call_started_at",
    "last_error",
    "reason",
    "failed_at",
    "canary",
    "lease_owner",
    "lease_ends_at",
}


# Of the clock, and growing: a number that a crash of the server undid is never given once more.
NEXT_NUMBER = "greatest(lease_number + 1, (extract(epoch FROM now()) * 1000000)::bigint)"

# A probe of the breaker is asked for when its row is ready: a lost one holds the channel for long.
GRANTED = GRANT.format(only="NOT probing AND EXISTS (SELECT FROM chosen)")
SLOT = ("granted.probing", "granted.failures", "granted.rate", "granted.seconds_to_end")


class Claim:
    """Takes rows of a queryset in their order, each row for one sender only."""

    def __init__(self, rows: Any) -> None:
        self.model = rows.model
        self._fields = [
            field for field in self.model._meta.concrete_fields if field.name not in UNREAD
        ]
        self._told = self.model.told_with_a_claim()
        self._names = [field.attname for field in self._fields]
        self._chosen, self._params = rows.in_order().values("pk").query.sql_with_params()
        self._alone = self._statement()
        self._with_slot = self._statement(f", granted AS ({GRANTED})", "LEFT JOIN granted ON true")

    def take(self, count: int, *, owner: str, lease: timedelta) -> list[Any]:
        """Take up to `count` rows for `owner` and return them in their order."""
        told = [*self._params, count, self.model.Status.PROCESSING, owner, lease]
        return self.rows_of(self.run(self._alone, told))

    def take_with_slot(
        self, count: int, *, owner: str, lease: timedelta, channel: str
    ) -> tuple[list[Any], Slots | None]:
        """Take rows as `take` does, and the next slot of the channel where there is any row.

        A channel that is closed, or wants a probe, gives none.
        """
        asked_at = time.monotonic()
        slot = asking(channel, count=1)
        told = [*self._params, count, *slot, self.model.Status.PROCESSING, owner, lease]
        taken = self.run(self._with_slot, told)
        granted = taken[0][-len(SLOT) :] if taken else [None]
        slots = None if granted[0] is None else placed(granted, count=1, asked_at=asked_at)
        return self.rows_of([each[: -len(SLOT)] for each in taken]), slots

    def run(self, statement: str, told: list[Any]) -> list[Any]:
        """Run one of the two statements and return what it tells of each row, in their order."""
        with connection.cursor() as cursor:
            cursor.execute(statement, told)
            return sorted(cursor.fetchall(), key=itemgetter(0))

    def rows_of(self, taken: Sequence[Any]) -> list[Any]:
        """Return the rows of which a statement told."""
        return [self._row(claimed_at, values) for _place, claimed_at, *values in taken]

    def _statement(self, granting: str = "", joined: str = "") -> str:
        table, attempts = self.model._meta.db_table, self.model._meta.get_field("attempts").column
        columns = [*self._columns(), *(SLOT if granting else ())]
        # MATERIALIZED: a sub-select may be run once more for each row, and lock more than asked.
        return (
            f"WITH {UNHURRIED}, chosen AS MATERIALIZED "
            f"({self._chosen} LIMIT %s FOR UPDATE SKIP LOCKED){granting} "
            f"UPDATE {table} AS outgoing SET status = %s, lease_owner = %s, "
            f"lease_number = {NEXT_NUMBER}, lease_ends_at = now() + %s, updated_at = now(), "
            # Another program may have written any number.
            f"{attempts} = greatest(outgoing.{attempts}, 0) FROM unhurried CROSS JOIN "
            f"(SELECT pk, row_number() OVER () AS place FROM chosen) AS chosen {joined} "
            f"WHERE outgoing.id = chosen.pk RETURNING place, now(), {', '.join(columns)}"
        )

    def _row(self, claimed_at: Any, values: list[Any]) -> Any:
        for position, field in enumerate(self._fields):
            if isinstance(field, models.JSONField) and values[position] is not None:
                values[position] = json.loads(values[position], cls=field.decoder)
        known = values[: len(self._fields)]
        row = self.model.from_db(connection.alias, self._names, known)
        row.claimed_at = claimed_at
        vars(row).update(zip(self._told, values[len(self._fields) :], strict=True))
        return row

    def _columns(self) -> list[str]:
        return [*map(_as_claimed, self._fields), *self._told.values()]


def _as_claimed(field: Any) -> str:
    """Return a column of a claim; its own statement does not ask the field how it is read."""
    column = f"outgoing.{field.column}"
    return f"{readable(column)} AS {field.column}" if isinstance(field, InstantField) else column
