"""Through many rows, batch after batch: one bad row is never in the way of the others."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Generic, TypeVar

from django.db import connection

from egac.logs import redact

logger = logging.getLogger(__name__)

BATCH = 500
# How many objects are made before garbage is looked for; in a walk, several batches full.
USUALLY, IN_A_WALK = gc.get_threshold()[0], 100_000

Row = dict[str, Any]
Result = TypeVar("Result")


def say_nothing(*told: Any) -> None:
    """Hear and say nothing."""


@dataclass(frozen=True)
class Watch:
    """Who watches a run: is told its rows and how far it is, and may stop it between batches."""

    stop: Event = field(default_factory=Event)
    on_rows: Callable[[Sequence[Row]], object] = say_nothing
    on_progress: Callable[[int, int], object] = say_nothing  # rows looked at, and all of them


NOBODY = Watch()


@dataclass
class Walk(Generic[Result]):
    """A job's way through the rows of these keys.

    `act` does a batch in one transaction, or raises and has done none of it: the batch is then
    repeated row by row. `give_up` is told which row fails by itself, and why.
    """

    job: str
    keys: Sequence[int]
    act: Callable[[Sequence[int]], list[Result]]
    give_up: Callable[[int, str], Result]
    watch: Watch = NOBODY
    done: int = 0

    @property
    def left(self) -> int:
        """How many rows a run that was stopped has not looked at."""
        return len(self.keys) - self.done

    def results(self) -> Iterator[Result]:
        """Do it, and return what came of it as it comes."""
        with seldom_collecting():
            for start in range(0, len(self.keys), BATCH):
                if self.watch.stop.is_set():
                    return
                yield from self._together(self.keys[start : start + BATCH])
                self.done = min(start + BATCH, len(self.keys))
                self.watch.on_progress(self.done, len(self.keys))

    def _together(self, batch: Sequence[int]) -> list[Result]:
        try:
            return self.act(batch)
        except Exception:
            # The row loop of a batch job: a bad row must not stop the others.
            logger.warning("%s: a batch failed; it is repeated row by row", self.job)
            return [each for key in batch for each in self._alone(key)]

    def _alone(self, key: int) -> list[Result]:
        connection.ensure_connection()
        session = connection.connection  # in whose place Django puts another once it is broken
        try:
            return self.act([key])
        except Exception as error:
            # The same row loop: its error, a deadlock too, is reported with its name.
            if session.closed:
                raise  # the database is gone, which is no fault of the row
            logger.exception("%s: row %s failed", self.job, key)
            reason = redact(str(error).partition("\n")[0]) or type(error).__name__
            return [self.give_up(key, reason)]


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for garbage seldom meanwhile: a batch has thousands of objects, and all go with it.

    Of walks side by side the first to end sets it back for all.
    """
    gc.set_threshold(IN_A_WALK)
    try:
        yield
    finally:
        gc.set_threshold(USUALLY)
