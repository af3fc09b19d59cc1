"""The sign of life of a worker."""

import os
import socket
import threading
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max
from django.db.models.functions import Now

from egac.record import Record
from notifications.models import Worker


class Heartbeat:
    """One worker's row in `workers`, and how many messages it has recorded."""

    SECONDS = 5.0

    def __init__(self, kind: Worker.Kind) -> None:
        self.kind = kind
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.recorded = 0
        self._lock = threading.Lock()

    def count(self, records: Sequence[Record]) -> None:
        """Count what a lane has recorded; any thread may call."""
        with self._lock:
            self.recorded += len(records)

    def beat(self) -> None:
        """Say that the worker lives."""
        told = {"seen_at": Now(), "recorded": self.recorded}
        Worker.objects.update_or_create(
            name=self.name, defaults=told, create_defaults={"kind": self.kind, **told}
        )

    def end(self) -> None:
        """Say that the worker has ended in good order."""
        self.beat()
        Worker.objects.filter(name=self.name).update(stopped_at=Now())


def last_loop_seen_at() -> datetime | None:
    """Return when a worker that never ends last gave a sign of life."""
    loops = Worker.objects.filter(kind=Worker.Kind.LOOP)
    return loops.aggregate(last=Max("seen_at"))["last"]


def a_minute(worker: Worker) -> str:
    """Return how many messages a minute it has recorded on average, once it has lived for one."""
    minutes = (worker.seen_at - worker.started_at) / timedelta(minutes=1)
    return f"{worker.recorded / minutes:,.1f}" if minutes >= 1 else "–"
