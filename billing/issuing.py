"""Issue invoices: numbered without a gap, with their lines, and the customer told.

A number is given under the lock of its year's counter, in the transaction that inserts the
invoice: a rolled back invoice leaves no gap, and two runs side by side wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from billing.amounts import NOTHING, Line, Totals, totals_of
from billing.models import Invoice, InvoiceCounter, InvoiceLine
from billing.reach import channels_to
from billing.words import STILL_TO_PAY, invoice_context
from bookings.models import Booking, Customer
from bookings.services import Notice, messages_to
from egac.inserting import insert
from notifications.services import Message, enqueue


@dataclass(frozen=True)
class Draft:
    """An invoice that has no number yet. A monthly one has a period, both days included."""

    booking: Booking
    kind: Invoice.Kind
    lines: tuple[Line, ...]
    billed_for: str
    issued_on: date
    due_on: date
    period: tuple[date, date] | None = None

    @cached_property
    def totals(self) -> Totals:
        return totals_of(self.lines)

    def numbered(self, number: str) -> Invoice:
        """Return it as a row. Where nothing is asked it is paid from the start."""
        is_free = self.totals.total == 0
        starts_on, ends_on = self.period or (None, None)
        return Invoice(
            number=number,
            kind=self.kind,
            booking=self.booking,
            customer=self.booking.customer,
            status=Invoice.Status.PAID if is_free else Invoice.Status.PENDING,
            billed_to=billed_to(self.booking.customer),
            billed_for=self.billed_for,
            issued_on=self.issued_on,
            due_on=self.due_on,
            period_starts_on=starts_on,
            period_ends_on=ends_on,
            currency=self.booking.currency,
            net=self.totals.net,
            tax=self.totals.tax,
            total=self.totals.total,
            paid=NOTHING,
            paid_on=self.issued_on if is_free else None,
            cancelled_because="",
        )


@dataclass(frozen=True)
class Numbered:
    """A draft with its number: the row that it becomes, and the messages that tell of it."""

    draft: Draft
    invoice: Invoice
    messages: tuple[Message, ...]


def billed_to(customer: Customer) -> str:
    """Return the name and, where there is one, the postal address, a line each."""
    return "\n".join(filter(None, [customer.name, customer.address.strip()]))


def number_of(year: int, count: int) -> str:
    """Return an invoice number, for example `EGAC-2026-00042`."""
    return f"EGAC-{year}-{count:05d}"


def lock_counter(year: int) -> InvoiceCounter:
    """Return the counter of a year, locked until the transaction ends."""
    InvoiceCounter.objects.bulk_create([InvoiceCounter(year=year, last=0)], ignore_conflicts=True)
    return InvoiceCounter.objects.select_for_update().get(year=year)


def counter_of(year: int) -> InvoiceCounter:
    """Return the counter of a year as it stands, to look at."""
    found = InvoiceCounter.objects.filter(year=year).first()
    return found or InvoiceCounter(year=year, last=0)


def number(drafts: Sequence[Draft], counter: InvoiceCounter) -> list[Numbered]:
    """Give the drafts the counter's next numbers; the caller has locked it, or only looks."""
    issued = []
    for draft in drafts:
        counter.last += 1
        invoice = draft.numbered(number_of(counter.year, counter.last))
        issued.append(Numbered(draft, invoice, tuple(messages_about(invoice))))
    return issued


def store(issued: Sequence[Numbered], counter: InvoiceCounter) -> None:
    """Insert numbered invoices and queue their messages, in the transaction of the counter."""
    insert([each.invoice for each in issued])
    insert([row for each in issued for row in rows_of(each.draft.lines, each.invoice)])
    counter.save(update_fields=["last"])
    enqueue([message for each in issued for message in each.messages])


def twin_of(draft: Draft) -> Invoice | None:
    """Return the live invoice that says the very same, if there is one."""
    same = Invoice.objects.live().filter(
        booking=draft.booking,
        kind=draft.kind,
        billed_for=draft.billed_for,
        issued_on=draft.issued_on,
        due_on=draft.due_on,
        total=draft.totals.total,
    )
    return same.first()


def rows_of(lines: Sequence[Line], invoice: Invoice) -> list[InvoiceLine]:
    """Return the lines of an invoice as rows, in their order."""
    return [
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_percent=line.tax_percent,
            net=line.net,
            tax=line.tax,
            enrolment_id=line.enrolment_id,
            is_live=True,
        )
        for position, line in enumerate(lines, start=1)
    ]


def messages_about(invoice: Invoice) -> list[Message]:
    """Return what tells its customer of a new invoice; nothing where nothing is to be paid."""
    if invoice.status != Invoice.Status.PENDING:
        return []
    notice = Notice(
        "invoice_issued",
        invoice_context(invoice),
        key=issued_key_of(invoice),
        relevance=STILL_TO_PAY,
    )
    return messages_to(invoice.customer, notice, channels=channels_to(invoice.customer))


def issued_key_of(invoice: Invoice) -> str:
    return f"invoice_issued/{invoice.number}"
