"""Run code side by side, each thread with a database connection of its own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, transaction

Result = TypeVar("Result")
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


def side_by_side(count: int, work: Callable[[int], Result]) -> list[Result]:
    """Call `work` with 0, 1, 2… in so many threads that begin together; return what each did."""
    together = threading.Barrier(count)

    def one(number: int) -> Result:
        try:
            together.wait(10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def uncommitted(work: Callable[[], object]) -> Iterator[None]:
    """Do the work on a connection of its own, and commit it when the block ends."""
    done, commit = threading.Event(), threading.Event()

    def in_a_transaction() -> None:
        with transaction.atomic():
            work()
            done.set()
            assert commit.wait(20)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(in_a_thread(in_a_transaction))
        try:
            assert done.wait(20)
            yield
        finally:
            commit.set()
        ended.result(20)


def in_a_thread(work: Callable[[], Result]) -> Callable[[], Result]:
    """Return the work as a thread does it, with a connection of its own."""

    def on_its_own_connection() -> Result:
        try:
            return work()
        finally:
            connection.close()

    return on_its_own_connection


def someone_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])
