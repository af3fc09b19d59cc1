"""Pings around the run that watches over all others, for an outside eye that misses them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from egac.providers.healthchecks import FAILED, STARTED, SUCCEEDED, ping
from jobs.registry import WATCH_JOB


@contextmanager
def pinged(job: str) -> Iterator[None]:
    """Tell the outside watcher that the watching run begins and how it ended; no other job's.

    The first ping goes beside the work, which it must not delay; the last one waits for it.
    """
    if job != WATCH_JOB:
        yield
        return
    beginning = threading.Thread(target=ping, args=(STARTED,), daemon=True)
    beginning.start()
    how = FAILED
    try:
        yield
        how = SUCCEEDED
    finally:
        beginning.join()
        ping(how)
