"""Invented invoices."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import factory

from billing.models import Invoice
from bookings.models import Booking, Enrolment
from tests.bookings.factories import BookingFactory, ClassSessionFactory, EnrolmentFactory


class InvoiceFactory(factory.django.DjangoModelFactory[Invoice]):
    """A pending monthly one over £42.00, as a row: nothing was queued for it."""

    class Meta:
        model = Invoice

    class Params:
        is_paid = factory.Trait(
            status=Invoice.Status.PAID,
            paid=factory.SelfAttribute("total"),
            paid_on=factory.SelfAttribute("issued_on"),
        )

    number = factory.Sequence(lambda n: f"EGAC-2020-{n:05d}")  # of a year that no test bills
    kind = Invoice.Kind.MONTHLY
    booking = factory.SubFactory(BookingFactory)
    customer = factory.SelfAttribute("booking.customer")
    billed_to = factory.SelfAttribute("customer.name")
    billed_for = "Junior running, 3 December 2026 to 2 January 2027"
    issued_on = factory.LazyAttribute(lambda invoice: invoice.due_on - timedelta(days=5))
    due_on = date(2026, 12, 3)
    currency = "GBP"
    net = Decimal("42.00")
    tax = Decimal("0.00")
    total = factory.LazyAttribute(lambda invoice: invoice.net + invoice.tax)


def stored(model: Any) -> list[dict[str, Any]]:
    """Return every row of a table, the oldest first."""
    return list(model.objects.order_by("pk").values())


def a_class(booking: Booking, on: date, **fields: Any) -> Enrolment:
    """Make a class at 18:30 UTC in which the booking has a place; by default it attended."""
    session = {"starts_at": datetime.combine(on, time(18, 30), tzinfo=UTC)}
    session |= {name.removeprefix("session_"): v for name, v in fields.items() if "session" in name}
    place = {name: value for name, value in fields.items() if "session" not in name}
    return EnrolmentFactory.create(
        booking=booking,
        session=ClassSessionFactory.create(**session),
        **{"attendance": Enrolment.Attendance.ATTENDED, **place},
    )
