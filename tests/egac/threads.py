"""Run code side by side, each thread with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


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
