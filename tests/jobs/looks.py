"""Looks around that find just what a test says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from jobs.watchers import Finding

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)

Look = Callable[..., None]


def finding(sentence: str = "The pool is cold.", cause: str = "pool") -> Finding:
    return Finding(cause, sentence, "Heat it.", "/admin/")
