"""What became of the invented club's invoices: which are paid, which are late and how late. Pure.

Every state stands there that staff may meet, whatever day it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.models import Invoice
from billing.reminders import days_late

NIGHTS = 36  # of runs that lie behind: a month, and the days before the first is due


@dataclass(frozen=True)
class Band:
    """How many invoices of some days after their due date stay unpaid."""

    first: int
    last: int
    unpaid: int


OVERDUE, GRACE, LOCKED = Band(1, 7, 2), Band(8, 10, 2), Band(11, 14, 2)
BANDS = (OVERDUE, GRACE, LOCKED)


@dataclass(frozen=True)
class Fate:
    """What becomes of an invoice: paid on a day, in full or in part; or cancelled."""

    paid_on: date | None = None  # None: cancelled
    in_part: bool = False


def fates(pending: Iterable[Invoice], today: date) -> dict[int, Fate]:
    """Return by key the fate of each invoice that is paid, in part or in full, or cancelled."""
    late = [each for each in pending if each.due_on < today]
    monthly = [each for each in late if each.kind == Invoice.Kind.MONTHLY]
    unpaid = [each for band in BANDS for each in left_unpaid(monthly, band, today)]
    paid = [each for each in late if each not in unpaid]
    told = {each.pk: Fate(paid_on=paid_on(place, each)) for place, each in enumerate(paid)}
    for each in unpaid[:1]:
        told[each.pk] = Fate(paid_on=each.due_on, in_part=True)
    for each in [each for each in paid if each in monthly][:1]:
        told[each.pk] = Fate()
    return told


def left_unpaid(invoices: Sequence[Invoice], band: Band, today: date) -> list[Invoice]:
    """Return the first invoices of a band."""
    theirs = [each for each in invoices if band.first <= days_late(each.due_on, today) <= band.last]
    return theirs[: band.unpaid]


def paid_on(place: int, invoice: Invoice) -> date:
    """Return when an invoice was paid: up to three days before it was due, once it was there."""
    early = timedelta(days=place % 4)
    return max(invoice.issued_on, invoice.due_on - early)
