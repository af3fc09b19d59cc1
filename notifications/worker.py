"""The worker that never ends: woken by NOTIFY, polling all the same, ended by a signal."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.conf import settings
from django.db import close_old_connections, connection

from egac.calls import threads
from egac.drain import AWAY
from notifications.heartbeat import Heartbeat
from notifications.lanes import LANES, Bounds, Lane
from notifications.models import Worker

logger = logging.getLogger(__name__)

CHANNEL = "notifications_queue"  # of NOTIFY; the table's triggers name it
POLL_SECONDS = 5.0  # the guarantee, where no NOTIFY comes through
AFTER_ERROR_SECONDS = 10.0
LISTEN_SECONDS = 1.0
# By these a connection on which nothing is ever sent notices that its other end is gone.
LIMITS = ("connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count")


class Loop:
    """Drain all lanes until told to stop; what is in flight then is finished and recorded."""

    def __init__(self, lanes: Sequence[type[Lane]] = LANES, *, concurrency: int) -> None:
        self.concurrency = concurrency
        self.stop = threading.Event()
        self._wakes = {lane: threading.Event() for lane in lanes}
        self._heartbeat = Heartbeat(Worker.Kind.LOOP)

    def run(self) -> None:
        """Return after `end` was called and every lane has come to rest."""
        tasks = [threading.Thread(target=self._listen, name="listen")]
        tasks += [
            threading.Thread(target=self._drain, args=(lane,), name=lane.name)
            for lane in self._wakes
        ]
        for task in tasks:
            task.start()
        while living := [task for task in tasks if task.is_alive()]:
            self._tell(self._heartbeat.beat)
            living[0].join(timeout=Heartbeat.SECONDS)
        self._tell(self._heartbeat.end)

    def end(self) -> None:
        """Claim no more; may be called from a signal handler."""
        self.stop.set()
        for wake in self._wakes.values():
            wake.set()

    def _tell(self, sign: Callable[[], None]) -> None:
        try:
            close_old_connections()
            sign()
        except Exception:
            # The drain loop's exception: a database that restarts must not end the worker.
            logger.exception("no heartbeat could be written")
            connection.close()

    def _drain(self, lane: type[Lane]) -> None:
        """Pass over one lane again and again, in a thread of its own."""
        told, polls_at = "", 0.0
        with threads(self.concurrency) as pool:
            running = self._lane(lane, pool)
            while not self.stop.is_set():
                self._wakes[lane].clear()
                try:
                    if time.monotonic() >= polls_at:
                        polls_at = time.monotonic() + POLL_SECONDS
                        close_old_connections()
                        why = running.run()
                    else:
                        why = running.send()
                    if why and why != told:
                        logger.warning("%s: %s", lane.name, why)
                    told, pause = why, polls_at - time.monotonic()
                except Exception as error:
                    # The drain loop's exception: the lane must outlive whatever breaks one pass.
                    logger.exception("%s: the pass broke", lane.name)
                    connection.close()
                    polls_at, pause = 0.0, AFTER_ERROR_SECONDS
                    if not isinstance(error, AWAY):  # then what is in hand is good, and kept
                        running = self._lane(lane, pool)
                self._wakes[lane].wait(pause)
            self._finish(running)
        connection.close()

    def _finish(self, lane: Lane) -> None:
        """Record what was answered while the database was away, should it come back in time."""
        if not lane.drain.lost_the_database:
            return
        try:
            lane.persevere()
        except AWAY:
            # Another sender settles these rows when their lease is over.
            logger.exception("%s: the database stayed away; answers are not recorded", lane.name)

    def _lane(self, lane: type[Lane], pool: ThreadPoolExecutor) -> Lane:
        bounds = Bounds(stop=self.stop, concurrency=self.concurrency)
        return lane(bounds, self._heartbeat.count, pool)

    def _listen(self) -> None:
        """Wake the lanes when the database says that rows are new."""
        while not self.stop.is_set():
            try:
                with _listening() as listening:
                    while not self.stop.is_set():
                        for _ in listening.notifies(timeout=LISTEN_SECONDS):
                            self._wake()
            except psycopg.Error as error:
                logger.warning("listening broke, polling goes on: %s", error)
                self.stop.wait(AFTER_ERROR_SECONDS)

    def _wake(self) -> None:
        for wake in self._wakes.values():
            wake.set()


def _listening() -> psycopg.Connection[Any]:
    """Return a connection of its own that listens; a pooler in transaction mode cannot do that."""
    told = connection.get_connection_params()
    if settings.DATABASE_DIRECT_URL:
        limits = {name: told[name] for name in LIMITS if name in told}
        opened = psycopg.connect(settings.DATABASE_DIRECT_URL, autocommit=True, **limits)
    else:
        opened = psycopg.connect(**told, autocommit=True)
    opened.execute(f"LISTEN {CHANNEL}")
    return opened
