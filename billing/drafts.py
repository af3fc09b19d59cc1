"""An invoice before it is a row: what it asks, of whom, and the number that it is given. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing.amounts import NOTHING, Line, Totals, totals_of
from billing.models import Invoice
from bookings.models import Booking, Customer

Columns = dict[str, Any]  # of a row, by their names


@dataclass(frozen=True, eq=False)
class Bill:
    """What an invoice asks, whoever pays: who are billed alike share one, and work it out once.

    A monthly one has a period, both days included.
    """

    kind: Invoice.Kind
    lines: tuple[Line, ...]
    currency: str
    billed_for: str
    issued_on: date
    due_on: date
    period: tuple[date, date] | None = None

    @cached_property
    def totals(self) -> Totals:
        return totals_of(self.lines)

    @cached_property
    def columns(self) -> Columns:
        """What its invoices have in common. Where nothing is asked it is paid from the start."""
        is_free = self.totals.total == 0
        starts_on, ends_on = self.period or (None, None)
        return {
            "kind": self.kind,
            "status": Invoice.Status.PAID if is_free else Invoice.Status.PENDING,
            "billed_for": self.billed_for,
            "issued_on": self.issued_on,
            "due_on": self.due_on,
            "period_starts_on": starts_on,
            "period_ends_on": ends_on,
            "currency": self.currency,
            "net": self.totals.net,
            "tax": self.totals.tax,
            "total": self.totals.total,
            "paid": NOTHING,
            "paid_on": self.issued_on if is_free else None,
            "cancelled_because": "",
        }

    @cached_property
    def columns_of_lines(self) -> list[Columns]:
        """Its lines as rows, in their order; each still lacks its invoice."""
        return [
            {
                "position": position,
                "description": line.description,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "tax_percent": line.tax_percent,
                "net": line.net,
                "tax": line.tax,
                "enrolment_id": line.enrolment_id,
                "is_live": True,
            }
            for position, line in enumerate(self.lines, start=1)
        ]


@dataclass(frozen=True)
class Draft:
    """A bill for a booking; it has no number yet."""

    booking: Booking
    bill: Bill


@dataclass(frozen=True)
class NewInvoice:
    """A bill with its number. It reads as the row that it becomes, which costs far more to make."""

    booking: Booking
    bill: Bill
    number: str

    @cached_property
    def columns(self) -> Columns:
        """The row that it becomes; what is not named is left to the database."""
        return {
            "number": self.number,
            "booking_id": self.booking.pk,
            "customer_id": self.booking.customer_id,
            "billed_to": billed_to(self.customer),
            **self.bill.columns,
        }

    @property
    def customer(self) -> Customer:
        return self.booking.customer

    @property
    def status(self) -> Invoice.Status:
        status: Invoice.Status = self.bill.columns["status"]
        return status

    @property
    def billed_for(self) -> str:
        return self.bill.billed_for

    @property
    def due_on(self) -> date:
        return self.bill.due_on

    @property
    def currency(self) -> str:
        return self.bill.currency

    @property
    def paid(self) -> Decimal:
        return NOTHING

    @property
    def paid_on(self) -> date | None:
        paid_on: date | None = self.bill.columns["paid_on"]
        return paid_on

    @property
    def left_to_pay(self) -> Decimal:
        return self.bill.totals.total


def billed_to(customer: Customer) -> str:
    """Return the name and, where there is one, the postal address, a line each."""
    return "\n".join(filter(None, [customer.name, customer.address.strip()]))
