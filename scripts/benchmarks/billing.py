"""How long the monthly invoices of many bookings take, and how much memory."""

import os
import statistics
import subprocess
import sys
import time
from datetime import date

from django.db import connection
from django.test import override_settings

from billing.models import Invoice
from billing.services import generate_monthly_invoices
from scripts.benchmarks.invites import database_url
from scripts.benchmarks.measure import ROOT, Measure

ON = date(2026, 11, 28)
FEW, SOME, MANY = 1_000, 10_000, 100_000
MOST_SECONDS, MOST_MEGABYTES = 60, 300
ROUNDS = 3

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
    with override_settings(DEBUG=False):
        assert generate_monthly_invoices(ON)["created_count"] == count
    return time.perf_counter() - began


def command(job: str, on: date, *options: str) -> tuple[float, float]:
    """Run a job by itself; return its seconds, start included, and its megabytes at most."""
    # As in production: with DEBUG Django keeps every statement that it has sent.
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DEBUG": "0",
        "SECRET_KEY": "bench",
        "SITE_BASE_URL": "https://club.example",
        "STAFF_ALERT_EMAILS": "office@club.example",
    }
    called = [sys.executable, "manage.py", job, f"--date={on}", *options]
    began = time.perf_counter()
    with subprocess.Popen(called, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the run failed"
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def both_ways() -> list[Measure]:
    """Measure the dry run and then the real one."""
    fill(MANY)
    measures = dry_and_real("generate_monthly_invoices", ON, what=f"{MANY:,} monthly invoices")
    assert Invoice.objects.count() == MANY, "not every booking was billed"
    return measures


def dry_and_real(job: str, on: date, *, what: str) -> list[Measure]:
    """Measure time and memory of a job's dry run, and then of its real one."""
    measures = []
    for word, options in (("dry run", ["--dry-run"]), ("real run", [])):
        seconds, megabytes = command(job, on, *options)
        measures += [
            Measure(
                f"{what}, {word}: time",
                seconds / MOST_SECONDS,
                f"{seconds:.1f} s of {MOST_SECONDS} s",
                1.0,
                at_least=False,
            ),
            Measure(
                f"{what}, {word}: memory",
                megabytes / MOST_MEGABYTES,
                f"{megabytes:.0f} MB of {MOST_MEGABYTES} MB",
                1.0,
                at_least=False,
            ),
        ]
    return measures


def linear() -> list[Measure]:
    """Measure what one booking costs among many against what it costs among few."""
    few = statistics.median(seconds_of(FEW) for _ in range(ROUNDS)) / FEW
    some = statistics.median(seconds_of(SOME) for _ in range(ROUNDS)) / SOME
    many = seconds_of(MANY) / MANY
    return [
        Measure(
            f"cost of a booking, {count:,} against {FEW:,}",
            cost / few,
            f"{cost * 1e6:.0f} µs beside {few * 1e6:.0f} µs",
            1.5,
            at_least=False,
        )
        for count, cost in ((SOME, some), (MANY, many))
    ]


def measures() -> list[Measure]:
    return [*both_ways(), *linear()]
