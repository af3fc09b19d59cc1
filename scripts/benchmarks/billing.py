"""How long the monthly invoices of many bookings take, and how much memory."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date

from django.db import connection

from billing.models import Invoice
from billing.services import generate_monthly_invoices
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import ROOT, Measure
from scripts.benchmarks.scratch import database_url

ON = date(2026, 11, 28)
MOST_SECONDS, MOST_MEGABYTES = 60, 300

# A third of the customers agreed to WhatsApp; the billing dates lie within the lead.
CLUB = """
TRUNCATE customers, class_packages, invoice_counters, notifications_queue CASCADE;
INSERT INTO class_packages (name, plan, price, currency)
  VALUES ('Junior running', 'monthly', 42, 'GBP');
INSERT INTO customers (name, email, phone, whatsapp_opted_in_at)
  SELECT 'Customer ' || n, 'customer' || n || '@families.example',
    '+447700' || lpad(n::text, 6, '0'), CASE WHEN n %% 3 = 0 THEN now() END
  FROM generate_series(1, %(count)s) AS n;
INSERT INTO bookings (customer_id, package_id, plan, status, weekdays, billing_anchor_on, price,
    currency, billed_through_on)
  SELECT customers.id, class_packages.id, 'monthly', 'confirmed', '{2}',
    date '2026-11-01' + (customers.id %% 3)::int, 42, 'GBP',
    date '2026-11-30' + (customers.id %% 3)::int
  FROM customers, class_packages;
"""


def fill(count: int) -> None:
    """Put so many monthly bookings into the empty tables, each with a period to raise."""
    told = {"count": count}
    with connection.cursor() as cursor:
        cursor.execute(CLUB, told)
        cursor.execute("VACUUM ANALYZE")


def seconds_of(count: int) -> float:
    """Return how long a real run over so many bookings takes in this process."""
    fill(count)
    began = time.perf_counter()
    assert generate_monthly_invoices(ON)["created_count"] == count
    return time.perf_counter() - began


def command(*options: str) -> tuple[float, float]:
    """Run the command by itself; return its seconds, start included, and its megabytes at most."""
    environment = {**os.environ, "DATABASE_URL": database_url()}
    called = [sys.executable, "manage.py", "generate_monthly_invoices", f"--date={ON}", *options]
    began = time.perf_counter()
    with subprocess.Popen(called, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the run failed"
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def within(name: str, *, seconds: float, megabytes: float) -> list[Measure]:
    """Hold one run over all against its bounds."""
    limits = (("time", seconds, MOST_SECONDS, "s"), ("memory", megabytes, MOST_MEGABYTES, "MB"))
    return [
        Measure(
            f"{name}: {what}",
            measured / most,
            f"{measured:.1f} {unit} of {most} {unit}",
            1.0,
            at_least=False,
        )
        for what, measured, most, unit in limits
    ]


def against_few(few: float, *, count: int, seconds: float, among: int) -> Measure:
    """Hold what one booking costs among so many against what it costs among few."""
    cost = seconds / count
    made_of = f"{cost * 1e6:.0f} µs beside {few * 1e6:.0f} µs"
    name = f"cost of a booking, {count:,} against {among:,}"
    return Measure(name, cost / few, made_of, 1.5, at_least=False)


def measures(counts: Counts) -> Iterator[Measure]:
    """Measure what the monthly invoices promise."""
    few, some, many = counts.billed
    of_few = statistics.median(seconds_of(few) for _ in range(counts.rounds)) / few
    of_some = statistics.median(seconds_of(some) for _ in range(counts.rounds))
    fill(many)
    dry, dry_megabytes = command("--dry-run")
    real, real_megabytes = command()
    assert Invoice.objects.count() == many, "not every booking was billed"
    named = f"{many:,} monthly invoices"
    yield from within(f"{named}, dry run", seconds=dry, megabytes=dry_megabytes)
    yield from within(f"{named}, real run", seconds=real, megabytes=real_megabytes)
    yield against_few(of_few, count=some, seconds=of_some, among=few)
    yield against_few(of_few, count=many, seconds=real, among=few)
