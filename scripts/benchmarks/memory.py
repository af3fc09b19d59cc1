"""How much a worker grows while it sends."""

import os
import statistics
import subprocess
import sys

from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.drains import CONCURRENCY
from scripts.benchmarks.measure import ROOT, Measure
from scripts.benchmarks.scratch import database_url

SETTINGS = {"WHATSAPP_RATE_LIMIT": "1000000", "WORKER_CONCURRENCY": str(CONCURRENCY)}


def growth(counts: Counts) -> Measure:
    """Measure by how many megabytes a worker's loop grows between two rows."""
    megabytes = statistics.median(_growth(counts) for _ in range(counts.rounds))
    name = f"growth of a worker from row {counts.weighed_first:,} to {counts.weighed_last:,}"
    return Measure(name, megabytes, f"{megabytes:.1f} MB", 20.0, at_least=False)


def _growth(counts: Counts) -> float:
    rows.empty()
    rows.fill(counts.weighed_last)
    points = [str(counts.weighed_first), str(counts.weighed_last)]
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.weighed_worker", *points],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), **SETTINGS},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    first, last = (int(line) for line in done.stdout.split())
    return (last - first) / 1_000_000
