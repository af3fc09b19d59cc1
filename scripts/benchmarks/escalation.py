"""How long it takes to look after the unpaid invoices of many bookings, and how much memory."""

from datetime import date

from django.db import connection

from billing.models import StepTaken
from bookings.models import BookingEvent
from scripts.benchmarks.billing import dry_and_real, fill
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import Measure

JOB = "run_escalation_orchestration"
ON = date(2026, 12, 9)
LATE_TENTHS = 3  # of ten bookings; a club in which more are late has another trouble

# All are unpaid: some 9 days late and not reminded since, the others due in 3 weeks.
INVOICES = """
INSERT INTO invoices (number, kind, booking_id, customer_id, billed_to, billed_for, issued_on,
    due_on, currency, net, tax, total)
  SELECT 'B-' || id, 'monthly', id, customer_id, 'Customer', 'Junior running', %(on)s::date - 30,
    %(on)s::date + CASE WHEN id %% 10 < %(late)s THEN -9 ELSE 21 END, 'GBP', 42, 0, 42
  FROM bookings
"""


def measures(counts: Counts) -> list[Measure]:
    """Measure the dry run and then the real one, which moves and reminds every late booking."""
    many = counts.billed[-1]
    fill(many)
    with connection.cursor() as cursor:
        cursor.execute(INVOICES, {"on": ON, "late": LATE_TENTHS})
        cursor.execute("VACUUM ANALYZE")
    late = many * LATE_TENTHS // 10
    told, _ = dry_and_real(JOB, ON, what=f"{many:,} unpaid invoices, {late:,} late")
    assert BookingEvent.objects.count() == StepTaken.objects.count() == late, "not all were moved"
    return told
