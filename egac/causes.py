"""Failures by cause: failed rows whose errors differ only in ids, numbers and addresses are one.

Any program can write failed rows, so a cause is not stored but derived, in SQL, by one expression
that an index of the failed rows carries. Changing the rule needs a migration that builds the
indexes anew; the tests of the schema say so.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models.functions import Coalesce

from egac.events import outgoing_tables
from egac.instants import readable

FAILED_AT = Coalesce("failed_at", "updated_at")  # other programs do not write the first
# By that alone: an index of updated_at would be written with every step of a drain.
NEWEST_FIRST = models.F("failed_at").desc(nulls_last=True)
MOST_COUNTED = 2_000  # failed rows of one cause; more are “more than 2,000”
MOST_CAUSES = 100
NAME = re.compile(r"[0-9a-f]{32}")  # of a cause: its fingerprint
MOST_EXAMPLES = 3
LONGEST = 200  # characters that tell one cause from another

# An error may be JSON, as text too: its code and its words count, not how they are written down.
CODE_IN_JSON = r'^[[:space:]]*[{].*"(?:code|name)"[[:space:]]*:[[:space:]]*"?([[:alnum:]_]+)'
WORDS_IN_JSON = r'^[[:space:]]*[{].*"(?:message|error)"[[:space:]]*:[[:space:]]*"((?:[^"\\]|\\.)*)"'
# Numbers that are no ids: Meta's code, or else the HTTP status.
NUMBERED = (
    r"\ycode[ :=#]{1,3}([0-9]{1,6})\y",
    r"\y(?:answered|status|http|send it)[ :=/]{1,3}([0-9]{3,6})\y",
)
# What tells one message from the next and no cause from another, each put out by what follows it.
FORGOTTEN = (
    (r"https?://[^[:space:]]+", "…"),
    (r"""[^][:space:]<>(),;:"'`[]+@[^][:space:]<>(),;:"'`[]+""", "…"),
    (r'"[^"]*"|`[^`]*`|“[^”]*”|‘[^’]*’', "…"),
    (r"(^|[^[:alnum:]])'[^']*'(?![[:alnum:]])", r"\1…"),
    (r"[[:alnum:]_-]*[0-9][[:alnum:]_-]*|\y[0-9a-f]{8,}\y", "…"),
    (r"[+(]*…(?:[[:space:].,:/()+-]*…)*", "…"),
    (r"[[:space:]]+", " "),
)


def words_kept(text: str) -> str:
    """Return SQL that takes from a text, itself SQL, what tells no cause from another."""
    sql = f"lower({text})"
    for pattern, instead in FORGOTTEN:
        sql = f"regexp_replace({sql}, {_quoted(pattern)}, {_quoted(instead)}, 'g')"
    return f"trim(left(trim({sql}), {LONGEST}))"


def fingerprint(error: str, channel: str = "NULL") -> str:
    """Return SQL for the cause of a failed row; `error` and `channel` are SQL themselves."""
    code = f"substring({error} from {_quoted(CODE_IN_JSON)})"
    return _digest(channel, code, *_number_and_words(error))


def said(error: str) -> str:
    """Return SQL for what an error says, the same in whichever table and form it is kept."""
    return _digest(*_number_and_words(error))


def _number_and_words(error: str) -> tuple[str, str]:
    words = f"coalesce(substring({error} from {_quoted(WORDS_IN_JSON)}), {error}, '')"
    numbers = [f"substring(lower({words}) from {_quoted(pattern)})" for pattern in NUMBERED]
    return f"coalesce({', '.join(numbers)})", words_kept(words)


def _digest(*parts: str) -> str:
    return "md5(" + " || chr(10) || ".join(f"coalesce({part}, '')" for part in parts) + ")"


def _quoted(text: str) -> str:
    """Return an SQL literal; not a parameter, so that a query says what the index says."""
    return "'" + text.replace("'", "''") + "'"


class Fingerprint(models.Func):
    """The cause of a failed row, by its error as text and, where it has several, its channel."""

    output_field = models.TextField()

    @property
    def error(self) -> Any:
        """The error as text."""
        return self.get_source_expressions()[0]

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        error, *channel = (compiler.compile(each)[0] for each in self.get_source_expressions())
        return fingerprint(error, *channel), ()


class JsonText(models.Func):
    """What stands in a JSON value at a path of names, as text; "" is the whole, without quotes."""

    template = "(%(expressions)s #>> '{%(path)s}')"
    output_field = models.TextField()


@dataclass(frozen=True)
class Cause:
    """The failed rows of one table that have one cause."""

    model: Any  # of the table
    name: str  # the fingerprint
    count: int  # MOST_COUNTED + 1 stands for more than MOST_COUNTED
    first_at: datetime
    last_at: datetime
    newest: list[Any]  # keys of the last MOST_EXAMPLES
    said: str  # what its errors say: another table's cause may say the same

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > MOST_COUNTED

    @property
    def in_words(self) -> str:
        return f"more than {MOST_COUNTED:,}" if self.is_more else f"{self.count:,}"


# Hops through the index from one cause to the next, however many rows each has.
EVERY_CAUSE = """
WITH RECURSIVE causes(cause, place) AS (
  SELECT (SELECT {cause} FROM {table} WHERE {failed} ORDER BY 1 LIMIT 1), 1
  UNION ALL
  SELECT (SELECT {cause} FROM {table} WHERE {failed} AND {cause} > causes.cause
    ORDER BY 1 LIMIT 1), place + 1
  FROM causes WHERE cause IS NOT NULL AND place < {most}
)"""
ONE_CAUSE = "WITH causes(cause) AS (VALUES (%s))"
WHAT_OF_THEM = """
SELECT causes.cause, told.count,
  least(told.first_at, (SELECT {at} FROM {table} WHERE {of_it} AND failed_at IS NOT NULL
    ORDER BY failed_at NULLS FIRST LIMIT 1)),
  told.last_at,
  ARRAY(SELECT id FROM {table} WHERE {of_it} ORDER BY {newest_first} LIMIT {examples}),
  (SELECT {said} FROM {table} WHERE {of_it} LIMIT 1)
FROM causes CROSS JOIN LATERAL (
  SELECT count(*), min(at) AS first_at, max(at) AS last_at FROM (
    SELECT {at} AS at FROM {table} WHERE {of_it} ORDER BY {newest_first} LIMIT {counted}
  ) AS counted
) AS told
WHERE causes.cause IS NOT NULL
"""


def tables_with_causes() -> dict[str, Any]:
    """Return the models whose failed rows are looked at by cause, by table."""
    return {name: model for name, model in outgoing_tables().items() if model.CAUSE is not None}


def causes_of(model: Any) -> list[Cause]:
    """Return the causes of a table's failed rows, the commonest first: at most MOST_CAUSES."""
    return sorted(_ask(model, EVERY_CAUSE), key=lambda cause: (-cause.count, cause.name))


def cause_named(model: Any, name: str) -> Cause | None:
    """Return one cause of a table's failed rows, or None where no row has it."""
    found = _ask(model, ONE_CAUSE, name)
    return found[0] if found and found[0].count else None


def _ask(model: Any, which: str, *params: str) -> list[Cause]:
    cause, error = _sql_of(model, model.CAUSE), _sql_of(model, model.CAUSE.error)
    failed = f"status = '{model.Status.FAILED}'"
    statement = (which + WHAT_OF_THEM).format(
        cause=cause,
        table=model._meta.db_table,
        failed=failed,
        said=said(error),
        of_it=f"{failed} AND {cause} = causes.cause",
        at=readable("coalesce(failed_at, updated_at)"),
        newest_first="failed_at DESC NULLS LAST",
        most=MOST_CAUSES,
        counted=MOST_COUNTED + 1,
        examples=MOST_EXAMPLES,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return [Cause(model, *told) for told in cursor.fetchall()]


def _sql_of(model: Any, expression: Any) -> str:
    query = model._default_manager.all().query
    compiler = query.get_compiler(connection=connection)
    sql, _ = compiler.compile(expression.resolve_expression(query))
    return str(sql)
