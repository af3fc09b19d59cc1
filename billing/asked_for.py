"""Classes that an invoice asks for although nobody owes them: a mark or a cancelled class changes
no invoice, for the customer has it already."""

from collections.abc import Sequence

from billing.classes import took_place
from billing.models import Invoice, InvoiceLine
from bookings.models import ClassSession, Enrolment

MOST_NAMED = 5
NEXT_STEP = (
    "No mark changes an invoice. Cancel an unpaid one, and the next night bills what else stands "
    "on it again; where money came in, pay it back."
)


def note_on_invoices(places: Sequence[int]) -> str:
    """Return which invoices ask for classes that these places do not owe, and what to do; or ""."""
    owed = Enrolment.objects.filter(took_place(), pk__in=places).exclude(
        session__status=ClassSession.Status.CANCELLED
    )
    lines = InvoiceLine.objects.filter(enrolment__in=places, is_live=True)
    asking = Invoice.objects.filter(pk__in=lines.exclude(enrolment__in=owed).values("invoice"))
    numbers = list(asking.order_by("pk").values_list("number", flat=True)[: MOST_NAMED + 1])
    if not numbers:
        return ""
    more = " and others" if len(numbers) > MOST_NAMED else ""
    named = f"{', '.join(numbers[:MOST_NAMED])}{more}"
    return f"Billed already although it is not owed: see {named}. {NEXT_STEP}"
