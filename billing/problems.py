"""What could not be billed: opened, seen again, and solved by itself once a run can bill it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from billing.models import BillingProblem
from billing.verdicts import Verdict
from egac.days import start_of

UPSERT = """
INSERT INTO billing_problems (job, booking_id, why)
SELECT %s, * FROM unnest(%s::bigint[], %s::text[])
ON CONFLICT (booking_id, job) WHERE solved_at IS NULL
DO UPDATE SET why = excluded.why, last_seen_at = now()
"""


def note_problems(job: str, verdicts: Sequence[Verdict]) -> None:
    """Open or renew the problems of these bookings, and solve those of the others among them."""
    solve([each.booking.pk for each in verdicts if not each.problem], job=job)
    bad = [each for each in verdicts if each.problem]
    if not bad:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT, [job, [each.booking.pk for each in bad], [each.problem for each in bad]]
        )


def solve(ids: Sequence[int], *, job: str) -> None:
    """Close the open problems of these bookings."""
    BillingProblem.objects.filter(job=job, solved_at=None, booking__in=ids).update(solved_at=Now())


def solve_unseen(job: str, *, on: date, since: datetime) -> None:
    """Close the open problems that a whole run for a day did not see: there is nothing to bill.

    A run for an earlier day than a problem was last seen on says nothing about it.
    """
    seen_before = min(since, start_of(on + timedelta(days=1)))
    still_open = BillingProblem.objects.filter(job=job, solved_at=None)
    still_open.filter(last_seen_at__lt=seen_before).update(solved_at=Now())
