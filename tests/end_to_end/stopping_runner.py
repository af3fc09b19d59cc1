"""`retry_invites` in a process that stops itself at a named point, where a test may kill it.

`python -m tests.end_to_end.stopping_runner after_the_claim`: the process sends itself SIGSTOP when
it gets there for the first time. SIGCONT lets it go on, SIGKILL ends it there.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  Django comes first

from egac import drain  # noqa: E402
from egac.outbox import OutgoingQuerySet  # noqa: E402


def stop_once(function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """Return the function with a stop around its first call that does something."""
    is_over = False

    def stop() -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            os.kill(os.getpid(), signal.SIGSTOP)

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        if before and args[-1]:
            stop()
        result = function(*args, **options)
        if not before and result:
            stop()
        return result

    return wrapped


POINTS: dict[str, tuple[Any, str, bool]] = {
    "after_the_claim": (OutgoingQuerySet, "claim", False),
    "before_the_call": (OutgoingQuerySet, "start", False),  # its start is stored, no byte left
    "before_the_record": (drain, "record", True),
}

if __name__ == "__main__":
    owner, name, before = POINTS[sys.argv[1]]
    setattr(owner, name, stop_once(getattr(owner, name), before=before))
    call_command("retry_invites", json=True)
