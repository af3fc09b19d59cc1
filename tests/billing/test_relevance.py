"""Every check of relevance: what it asks does not grow with the messages, nor does one break it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.access_words import ACCESS_AS_TOLD
from billing.words import STILL_TO_PAY
from bookings.models import Booking
from bookings.services import BOOKING_STANDS, CLASS_IS_AHEAD
from egac.outbox import Irrelevant
from jobs.models import Alert
from notifications import relevance
from notifications.alerts import IS_OPEN
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import class_in
from tests.notifications.factories import email
from tests.notifications.staff_pages import ask
from tests.staff import login

pytestmark = pytest.mark.django_db

NAMES = sorted(relevance.CHECKS)
ODD = [None, "x", -1, 10**30, 1.5, True, [1], {"a": 1}]
GONE = {
    BOOKING_STANDS: "The booking is gone.",
    CLASS_IS_AHEAD: "The class is gone.",
    STILL_TO_PAY: "There is no invoice",
    ACCESS_AS_TOLD: "Its booking is gone.",
    IS_OPEN: "The alert closed",
}


def context() -> dict[str, Any]:
    """Make what every check asks about; return a context that names it all."""
    invoice = InvoiceFactory.create()
    alert = Alert.objects.create(
        cause=f"cold/{invoice.pk}",
        sentence="The pool is cold.",
        page="/admin/",
        opened_at="2026-03-03T10:00:00Z",
        last_seen_at="2026-03-03T10:00:00Z",
    )
    return {
        "booking_id": invoice.booking_id,
        "session_id": class_in(5).pk,
        "invoice_number": invoice.number,
        "access": Booking.Access.ACTIVE,
        "alert": str(alert.pk),
    }


def queued(name: str, contexts: list[Any], **fields: Any) -> list[Notification]:
    return Notification.objects.bulk_create(
        Notification(type="x", payload=email(context=each), relevance=name, **fields)
        for each in contexts
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_page_that_asks_takes_as_many_queries_for_50_messages_as_for_5(name: str) -> None:
    operator = login("Operators")
    rows = queued(name, [context() for _ in range(50)], status="failed", reason="exhausted")
    ask(operator, "retry", rows[0])  # what is kept once asked

    with CaptureQueriesContext(connection) as few:
        ask(operator, "retry", *rows[:5])
    with CaptureQueriesContext(connection) as many:
        ask(operator, "retry", *rows)

    assert len(many) == len(few)


@pytest.mark.parametrize("name", NAMES)
def test_each_message_is_answered_for_by_what_it_names(name: str) -> None:
    named, gone = rows = queued(name, [context(), {}])

    Notification.look_up(rows)

    named.check_relevance()
    with pytest.raises(Irrelevant, match=GONE[name]):
        gone.check_relevance()


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_a_context_that_names_nothing_harms_no_other(name: str, odd: Any) -> None:
    good = context()
    row, _ = rows = queued(name, [good, dict.fromkeys(good, odd)])

    Notification.look_up(rows)

    row.check_relevance()
