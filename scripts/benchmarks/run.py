"""Measure in a scratch database beside the configured one; print, and write what was measured."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from scripts.benchmarks import billing, console, escalation, invites, queue
from scripts.benchmarks.counts import FULL, QUICK
from scripts.benchmarks.measure import HEAD, Measure, set_up, write

GROUPS = {
    "invites": invites.measures,
    "queue": queue.measures,
    "billing": billing.measures,
    "escalation": escalation.measures,
    "console": console.measures,
}


def main(arguments: list[str]) -> int:
    """Measure the chosen groups, or all; return 0 when every bound holds."""
    options = _options(arguments)
    counts = QUICK if options.quick else FULL
    all_hold = True
    with scratch_database():
        for name in options.groups or GROUPS:
            load_before = os.getloadavg()[0]
            print(HEAD, flush=True)
            measures = [told(measure) for measure in GROUPS[name](counts)]
            where = set_up(counts, load_before)
            print(f"\n{where}\n", flush=True)
            if not options.quick:
                write(name, measures, where=where)
            all_hold = all_hold and all(measure.holds for measure in measures)
    return 0 if all_hold else 1


def told(measure: Measure) -> Measure:
    """Print a figure as soon as it is there."""
    print(measure.row(), flush=True)
    return measure


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=" or ".join(GROUPS))
    parser.add_argument(
        "--quick", action="store_true", help="fewer rows, for development; writes no figures"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(unknown)}; choose from {', '.join(GROUPS)}")
    return options


@contextmanager
def scratch_database() -> Iterator[None]:
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
