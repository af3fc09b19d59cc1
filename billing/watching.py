"""What could not be billed, for the alerts: it names bookings, never people, as it leaves here."""

from collections.abc import Iterator

from django.urls import reverse

from billing.models import BillingProblem
from egac.metrics import MOST_COUNTED
from egac.moment import Moment
from jobs.fixes import Fix
from jobs.watchers import Finding

MOST_NAMED = 5
PROBLEMS = "billing_problems"
FIXES = {
    PROBLEMS: (
        Fix(
            "Open what could not be billed",
            "admin:billing_billingproblem_changelist",
            "billing.view_billingproblem",
            query="?open=yes",
        ),
    )
}


def watch_billing(moment: Moment) -> Iterator[Finding]:
    """Find the bookings that the last runs could not bill or remind."""
    still_open = BillingProblem.objects.filter(solved_at=None)
    bookings = still_open.order_by().values("booking").distinct()
    count = bookings[:MOST_COUNTED].count()
    if not count:
        return
    first = still_open.order_by("booking_id", "-pk").distinct("booking_id")[:MOST_NAMED]
    named = [f"booking {each.booking_id} ({first_sentence(each.why)})" for each in first]
    rest = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    yield Finding(
        cause=PROBLEMS,
        sentence=f"{bookings_in_words(count)} could not be billed or reminded: "
        f"{', '.join(named)}{rest}.",
        next_step="Correct what each one names; the next night's run bills it.",
        page=reverse("admin:billing_billingproblem_changelist") + "?open=yes",
    )


def bookings_in_words(count: int) -> str:
    return "1 booking" if count == 1 else f"{count} bookings"


def first_sentence(words: str) -> str:
    """Return what is wrong, without what to do about it: the page says that."""
    return words.partition(". ")[0].rstrip(".")
