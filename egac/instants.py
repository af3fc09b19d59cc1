"""Times and days that another program may have written, and that Python perhaps cannot read.

PostgreSQL knows `infinity` and the year 294276; Python ends with the year 9999. One such value must
not break the claim, the list or the staff action that its row is part of. So what lies beyond is
read as the last day, and what lies before as 1970; the column keeps what was written.
"""

from typing import Any

from django.db import models

# A day inside Python's own bounds: no zone carries such a time across them.
READABLE = (
    "CASE WHEN {0} < '0001-01-02' THEN 'epoch' WHEN {0} > '9999-12-30' THEN '9999-12-30' "
    "ELSE {0} END"
)


def readable(column: str) -> str:
    """Return SQL that reads a time or a day of another program."""
    return READABLE.format(column)


class InstantField(models.DateTimeField):
    """A time of a table into which other programs write; the column is Django's own."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return readable(sql), params * 3

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", list(args), dict(kwargs)


class DayField(models.DateField):
    """A day of such a table."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return readable(sql), params * 3

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateField", list(args), dict(kwargs)
