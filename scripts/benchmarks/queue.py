"""What the queue promises of its speed, in one run."""

from collections.abc import Iterator

from django.test import override_settings

from scripts.benchmarks import calls, drains, memory, rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.enqueuing import bulk_enqueue
from scripts.benchmarks.invites import start_of
from scripts.benchmarks.measure import Measure
from scripts.benchmarks.orphaned import run_again
from scripts.benchmarks.pickup import pick_up


def measures(counts: Counts) -> Iterator[Measure]:
    """Measure all of it; the WhatsApp rate limit is out of the way but where calls are counted."""
    with override_settings(WHATSAPP_RATE_LIMIT=1_000_000.0):
        yield drains.slow_provider(counts)
        yield drains.instant_provider(counts)
        yield drains.two_processes(counts)
        yield bulk_enqueue(counts)
        yield pick_up(counts)
        yield run_again(counts)
        yield from drains.beside_many(counts)
    yield calls.email_batches(counts)
    yield calls.in_any_second(counts)
    yield memory.growth(counts)
    rows.empty()
    yield start_of("run_worker_queue", counts)
