"""A worker's loop that prints its memory in bytes at two of its calls, and ends after the second.

`python -m scripts.benchmarks.weighed_worker 10000 100000`
"""

import itertools
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")

import django

django.setup()

from egac.providers import Sender  # noqa: E402  it imports models
from notifications.lanes import WhatsAppRows  # noqa: E402
from notifications.worker import Loop  # noqa: E402
from scripts.benchmarks.drains import CONCURRENCY  # noqa: E402

FIRST, LAST = (int(argument) for argument in sys.argv[1:])
calls = itertools.count(1)


def memory() -> int:
    """Return the bytes that this process holds; Linux counts them in pages."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def send(message: Any, key: str) -> str:
    number = next(calls)
    if number in (FIRST, LAST):
        print(memory(), flush=True)
    if number == LAST:
        loop.end()
    return f"id-{key}"


class Lane(WhatsAppRows):
    sender = Sender("whatsapp", "bench", send, timedelta(0))

    def why_held(self) -> str:
        return ""


loop = Loop([Lane], concurrency=CONCURRENCY)
loop.run()
