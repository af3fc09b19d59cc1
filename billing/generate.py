"""The two jobs that issue invoices, and their results as existing callers read them."""

from datetime import date
from typing import Any

from billing import classes, monthly
from billing.batches import NOBODY, Walk, Watch
from billing.clock import clock_of_database
from billing.links import require_site
from billing.listing import beginning
from billing.runs import BillingJob, Books, Preview
from billing.tally import Tally

MONTHLY = BillingJob("generate_monthly_invoices", monthly.to_bill, monthly.judge)
T5 = BillingJob("generate_t5_invoices", classes.to_bill, classes.judge)


def generate_monthly_invoices(
    on: date, *, dry_run: bool = False, watch: Watch = NOBODY
) -> dict[str, Any]:
    """Bill every period of a monthly booking that is to be raised by a business date.

    A customer without a usable address is not billed but reported (billing.verdicts says why). An
    invoice over 0.00 counts as paid and is not announced. With `dry_run` nothing is written, and
    the result is what the next real run writes.
    """
    tally = run(MONTHLY, on, dry_run=dry_run, watch=watch)
    outcomes = tally.outcomes
    return {
        **beginning(on, dry_run=dry_run),
        "created_count": outcomes["invoiced"],
        "skipped_count": outcomes["skipped"] + outcomes["waived"],
        "waived_count": outcomes["waived"],
        "error_count": outcomes["not billed"],
        **ending(tally),
    }


def generate_t5_invoices(
    on: date, *, dry_run: bool = False, watch: Watch = NOBODY
) -> dict[str, Any]:
    """Bill every class of a per-class booking that took place before a business date.

    One invoice a booking, one line a class; whatever is on no live invoice yet, however old. What
    is not billed, and `dry_run`, are as in generate_monthly_invoices.
    """
    tally = run(T5, on, dry_run=dry_run, watch=watch)
    return {
        **beginning(on, dry_run=dry_run),
        "total_checked": tally.looked_at,
        "total_generated": tally.outcomes["invoiced"],
        "total_skipped": tally.idle,
        "total_errors": tally.outcomes["not billed"],
        **ending(tally),
    }


def run(job: BillingJob, on: date, *, dry_run: bool, watch: Watch) -> Tally:
    """Bill all that a job has to bill on a day, and return what was done.

    Raises NotConfigured where the invoices would link to nowhere.
    """
    require_site()
    began = clock_of_database()
    books = Preview(job, on) if dry_run else Books(job, on)
    ids = list(job.to_bill(on).order_by("pk").values_list("pk", flat=True))
    walk = Walk(job.name, ids, books.bill, books.give_up, watch)
    tally = Tally()
    for billed in walk.results():
        watch.on_rows(tally.add(billed))
    tally.left = walk.left
    if not tally.left:
        books.close(since=began)
    return tally


def ending(tally: Tally) -> dict[str, Any]:
    """Return what both results end with: amounts by currency, errors by name, and the rows."""
    return {
        "amounts": {currency: str(amount) for currency, amount in sorted(tally.amounts.items())},
        **tally.ending(left=tally.left, what="bookings"),
    }
