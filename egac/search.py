"""Find rows by the beginnings of words: an index of PostgreSQL's own text search, no extension.

The words of a row are an expression, so a table of another program needs no column for it. An index
of an expression serves the search for the same expression alone.

An address is never found by its beginning, wherever it was written: who may not read it would find
it letter by letter.
"""

import re
from typing import Any

from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db.models import BooleanField, F, Func, Q, TextField, Value
from django.db.models.functions import Coalesce
from django.db.models.query import QuerySet

FEW = 500  # rows
MOST_WORDS = 8  # of a search; what follows is left out
LONGEST_WORD = 60
MOST_CHARACTERS = 1000  # of a row: another program may write a megabyte, which no index takes
WITHOUT_ADDRESSES = r"regexp_replace(%(expressions)s, '\S*@\S*', ' ', 'g')"
# What would join words to the name of a host or a file, of which only the whole is found.
JOINERS = ".-_+/:?=&#~<>"
SPLIT = f"translate({WITHOUT_ADDRESSES}, '{JOINERS}', '{' ' * len(JOINERS)}')"
NAME = SearchVector("name", config="simple")  # of a table whose index was made of it


class Words(Func):
    """The words of some columns, without regard to case."""

    arg_joiner = " || ' ' || "
    template = f"to_tsvector('simple'::regconfig, left({SPLIT}, {MOST_CHARACTERS}))"
    output_field = SearchVectorField()

    def __init__(self, *columns: Any, **extra: Any) -> None:
        texts = [F(each) if isinstance(each, str) else each for each in columns]
        super().__init__(
            *(Coalesce(each, Value(""), output_field=TextField()) for each in texts), **extra
        )


class Found(Func):
    """Whether these words hold one that begins with each word of a query."""

    template = "(%(expressions)s))"
    arg_joiner = " @@ to_tsquery('simple'::regconfig, "
    output_field = BooleanField()


def prefix_query(text: str) -> str:
    """Return what was typed as a query for rows with words that begin so; "" for no word.

    Only letters and digits are taken over, so nothing in it is an operator or a quote.
    """
    words = re.findall(r"[^\W_]+", text.lower())[:MOST_WORDS]
    return " & ".join(f"{word[:LONGEST_WORD]}:*" for word in words)


def with_words(text: str, words: Func) -> Q:
    """Return the condition of the rows with words that begin as those of the text do."""
    query = prefix_query(text)
    return Q(Found(words, Value(query))) if query else Q(pk__in=[])


def with_name(text: str) -> Q:
    """Return the condition of the rows with such words in their name, which is no address."""
    return with_words(text, NAME) & ~Q(name__contains="@")


def keys_of(rows: QuerySet[Any]) -> Any:
    """Return the keys of these rows: themselves where they are few, as a question where not.

    The planner guesses badly how many rows hold the beginning of a word: it then reads a whole
    list in its order until it meets the few. So it is told which they are.
    """
    keys = rows.order_by().values_list("pk", flat=True)
    few = list(keys[: FEW + 1])
    return few if len(few) <= FEW else keys


def any_of(first: QuerySet[Any], *others: QuerySet[Any]) -> Q:
    """Return the condition of the rows that one of these finds, each by an index of its own."""
    keys = [rows.order_by().values("pk") for rows in (first, *others)]
    return Q(pk__in=keys[0].union(*keys[1:]))
