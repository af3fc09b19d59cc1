"""Measure in a scratch database beside the configured one; print, and write what was measured."""

import os

from django.db import connection

from scripts.benchmarks import billing, escalation, invites, queue
from scripts.benchmarks.measure import machine, table, write

GROUPS = {
    "invites": invites.measures,
    "queue": queue.measures,
    "billing": billing.measures,
    "escalation": escalation.measures,
}


def main(chosen: list[str]) -> int:
    """Measure the chosen groups, or all; return 0 when every bound holds."""
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        measures = [each for name in chosen or GROUPS for each in GROUPS[name]()]
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
    where = machine(version())
    print(table(measures, where=where))
    write(measures, where=where)
    return 0 if all(measure.holds for measure in measures) else 1


def version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])
