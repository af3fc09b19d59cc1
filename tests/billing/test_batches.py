"""A walk through many rows: one row's trouble is its own, a lost database is everybody's."""

import gc
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


@pytest.mark.django_db
def test_garbage_is_looked_for_as_often_as_before_once_a_walk_breaks_off() -> None:
    usual = gc.get_threshold()
    meanwhile = []

    def act(keys: Sequence[int]) -> list[str]:
        meanwhile.append(gc.get_threshold())
        raise ValueError

    with pytest.raises(ZeroDivisionError):
        list(Walk("a_job", [1], act, lambda key, why: str(1 // 0)).results())

    assert gc.get_threshold() == usual
    assert all(each > usual for each in meanwhile)


def test_walks_side_by_side_leave_the_search_for_garbage_as_it_was() -> None:
    usual = gc.get_threshold()
    first, second = (
        iter(Walk("a_job", [1], lambda keys: ["done"], lambda key, why: why).results())
        for _ in range(2)
    )

    for step in (first, second, first, second):
        next(step, None)

    assert gc.get_threshold() == usual
