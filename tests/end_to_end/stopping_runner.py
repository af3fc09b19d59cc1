"""A command in a process that stops itself at a named point, where a test may kill it.

`python -m tests.end_to_end.stopping_runner after_the_claim 3 run_worker_queue --loop`: each thread
that gets to the point waits there, and with the third the process sends itself SIGSTOP. SIGCONT
lets all of them go on, and the point is passed over from then on; SIGKILL ends them there.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
django.setup()

from django.core.management import execute_from_command_line  # noqa: E402  Django comes first
from django.db import transaction  # noqa: E402

from egac import drain, record  # noqa: E402
from egac.claim import Claim  # noqa: E402
from egac.outbox import OutgoingQuerySet  # noqa: E402
from egac.providers import resend, whatsapp  # noqa: E402
from notifications.models import EmailBatch, NotificationQuerySet  # noqa: E402

Wrap = Callable[[Callable[..., Any], Callable[[], None]], Callable[..., Any]]


class Point:
    """Where the process stops when so many threads have come."""

    def __init__(self, threads: int) -> None:
        self._expected = threads
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def reach(self) -> None:
        with self._lock:
            self._expected -= 1
            is_last = self._expected == 0
        if is_last:
            # To this thread: after one to the process this thread may run on for a moment.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            self._is_over.set()
        self._is_over.wait()


def before(function: Callable[..., Any], reach: Callable[[], None]) -> Callable[..., Any]:
    """Stop before a call that has something to do."""

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        if args[-1]:
            reach()
        return function(*args, **options)

    return wrapped


def after(function: Callable[..., Any], reach: Callable[[], None]) -> Callable[..., Any]:
    """Stop after a call that did something."""

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        if result:
            reach()
        return result

    return wrapped


def before_its_commit(
    function: Callable[..., Any], reach: Callable[[], None]
) -> Callable[..., Any]:
    """Stop after a statement that commits by itself, before it does."""
    return transaction.atomic(after(function, reach))


def after_a_batch(function: Callable[..., Any], reach: Callable[[], None]) -> Callable[..., Any]:
    """Stop after a claim that took a batch of e-mails."""

    @functools.wraps(function)
    def wrapped(claim: Claim, *args: Any) -> Any:
        claimed = function(claim, *args)
        if claimed and claim.model is EmailBatch:
            reach()
        return claimed

    return wrapped


POINTS: dict[str, list[tuple[Any, str, Wrap]]] = {
    "before_the_claim_commits": [(Claim, "run", before_its_commit)],
    "after_the_claim": [(Claim, "run", after)],
    "before_the_freeze_commits": [(NotificationQuerySet, "freeze", after)],
    "after_the_claim_of_a_batch": [(Claim, "run", after_a_batch)],
    # Its start is stored, no byte has left.
    "before_the_call": [(OutgoingQuerySet, "start", after)],
    "after_the_answer": [(resend, "call", after), (whatsapp, "call", after)],
    "before_the_record": [(drain, "record", before)],
    "before_the_record_commits": [(record, "add_lines", before)],
}

if __name__ == "__main__":
    name, threads, *command = sys.argv[1:]
    point = Point(int(threads))
    for owner, function, wrap in POINTS[name]:
        setattr(owner, function, wrap(getattr(owner, function), point.reach))
    execute_from_command_line(["manage.py", *command])
