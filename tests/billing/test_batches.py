"""A walk through many rows: one row's trouble is its own, a lost database is everybody's."""

from collections.abc import Callable, Sequence

import pytest
from django.db import OperationalError, connection, transaction

from billing.batches import Walk

BAD = 2
HANG_UP = "SELECT pg_terminate_backend(pg_backend_pid())"


def stumbling(statement: str) -> Callable[[Sequence[int]], list[str]]:
    """Return what does a batch and executes this statement where the bad row is in it."""

    def act(keys: Sequence[int]) -> list[str]:
        with transaction.atomic(), connection.cursor() as cursor:
            if BAD in keys:
                cursor.execute(statement)
            return [f"{key} done" for key in keys]

    return act


def walk(statement: str) -> list[str]:
    """Walk through three rows, the second of which is bad; return what came of each."""
    course = Walk("a_job", [1, BAD, 3], stumbling(statement), lambda key, why: f"{key} {why}")
    return list(course.results())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "code",
    ["40P01", "55P03", "57014"],
    ids=["deadlock_detected", "lock_not_available", "query_canceled"],
)
def test_a_row_that_somebody_else_holds_fails_alone(code: str) -> None:
    told = walk(f"DO $$ BEGIN RAISE 'held' USING ERRCODE = '{code}'; END $$")

    assert told == ["1 done", "2 held", "3 done"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_gone_ends_the_walk() -> None:
    with pytest.raises(OperationalError):
        walk(HANG_UP)
