"""What could not be billed: opened, seen again, and solved by itself once a run can bill it."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from billing.models import BillingProblem
from billing.verdicts import Verdict
from egac.keys import with_keys

# By the clock, not by the transaction: a run tells by it what it has seen itself.
UPSERT = """
INSERT INTO billing_problems (job, last_seen_on, last_seen_at, booking_id, why)
SELECT %s, %s, clock_timestamp(), * FROM unnest(%s::bigint[], %s::text[])
ON CONFLICT (booking_id, job) WHERE solved_at IS NULL DO UPDATE SET why = excluded.why,
  last_seen_on = excluded.last_seen_on, last_seen_at = excluded.last_seen_at
"""


def note_problems(job: str, verdicts: Sequence[Verdict], *, on: date) -> None:
    """Open or renew the problems of these bookings, and solve those of the others among them."""
    solved = with_keys((each.booking.pk for each in verdicts if not each.problem), of="booking")
    still_open(job, on).filter(solved).update(solved_at=Now())
    bad = [each for each in verdicts if each.problem]
    if not bad:
        return
    columns = [each.booking.pk for each in bad], [each.problem for each in bad]
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [job, on, *columns])


def solve_unseen(job: str, *, on: date, since: datetime) -> None:
    """Close the open problems that a whole run for a day did not see: nothing is to be billed."""
    still_open(job, on).filter(last_seen_at__lt=since).update(solved_at=Now())


def still_open(job: str, on: date) -> QuerySet[BillingProblem]:
    """Return the open problems that were seen up to a business date."""
    return BillingProblem.objects.filter(job=job, solved_at=None, last_seen_on__lte=on)
