"""How soon the calls of a worker that died are made again, under their keys."""

import statistics
import time
from datetime import timedelta

from notifications.models import Notification
from notifications.worker import POLL_SECONDS
from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import Measure
from scripts.benchmarks.pickup import looping

CALLS = 32
LEASE = timedelta(seconds=5)
PATIENCE_SECONDS = 60


def run_again(counts: Counts) -> Measure:
    """Measure the whole wait of the last of them beside one lease and one poll."""
    waits = [_seconds_until_all_were_called() for _ in range(counts.rounds)]
    seconds, most = statistics.median(waits), LEASE.total_seconds() + POLL_SECONDS
    made_of = f"{seconds:.1f} s of {most:.0f} s, at the longest {max(waits):.1f} s"
    name = f"orphans of {CALLS} calls run again, lease and poll of {most:.0f} s"
    return Measure(name, seconds / most, made_of, 1.0, at_least=False)


def _seconds_until_all_were_called() -> float:
    """Leave what a killed worker leaves, claimed rows whose calls have begun, beside a loop."""
    rows.empty()
    called: set[str] = set()

    def send(message: object, key: str) -> str:
        called.add(key)
        return f"id-{key}"

    rows.fill(CALLS)
    orphans = Notification.objects.for_whatsapp()
    claimed = orphans.claim(CALLS, owner="a worker that was killed", lease=LEASE)
    began = time.monotonic()
    for row in claimed:
        row.rendered = '{"to": "nobody"}'
    assert len(orphans.start(claimed)) == CALLS
    with looping(send, key_protects=timedelta(hours=24)):
        while len(called) < CALLS and time.monotonic() < began + PATIENCE_SECONDS:
            time.sleep(0.01)
    assert len(called) == CALLS, "not every orphan was called again"
    return time.monotonic() - began
