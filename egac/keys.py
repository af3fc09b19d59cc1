"""Rows by their keys, where there are hundreds: as one array, which costs as much as one value.

Django's `__in` makes a value of the statement of each, prepared and written out by itself.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Lookup
from django.db.models.sql.compiler import SQLCompiler


class _IsAnyOf(Lookup):
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        column, told = self.process_lhs(compiler, connection)
        array = f"{{{','.join(map(str, self.rhs))}}}"
        return f"{column} = ANY(%s)", [*told, array]


def with_keys(keys: Iterable[int], *, of: str = "pk") -> "Lookup[Any]":
    """Return the condition that the column `of` is one of these keys."""
    return _IsAnyOf(F(of), list(keys))
