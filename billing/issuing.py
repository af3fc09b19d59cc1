"""Issue invoices: numbered without a gap, with their lines, and the customer told.

A number is given under the lock of its year's counter, in the transaction that inserts the
invoice: a rolled back invoice leaves no gap, and two runs side by side wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.drafts import Draft, NewInvoice
from billing.models import Invoice, InvoiceCounter, InvoiceLine
from billing.words import STILL_TO_PAY, invoice_context
from bookings.services import Notice, messages_to
from egac.inserting import insert
from notifications.services import Message, enqueue


@dataclass(frozen=True)
class Numbered:
    """An invoice with its number, and the messages that tell of it."""

    invoice: NewInvoice
    messages: tuple[Message, ...]


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
        invoice = NewInvoice(draft.booking, draft.bill, number_of(counter.year, counter.last))
        issued.append(Numbered(invoice, tuple(messages_about(invoice))))
    return issued


def store(issued: Sequence[Numbered], counter: InvoiceCounter) -> list[int]:
    """Insert numbered invoices and queue their messages, in the transaction of the counter.

    Return the keys of the invoices.
    """
    keys = insert(Invoice, [each.invoice.columns for each in issued])
    lines = [
        {"invoice_id": key, **line}
        for key, each in zip(keys, issued, strict=True)
        for line in each.invoice.bill.columns_of_lines
    ]
    insert(InvoiceLine, lines)
    counter.save(update_fields=["last"])
    enqueue([message for each in issued for message in each.messages])
    return keys


def twin_of(draft: Draft) -> Invoice | None:
    """Return the live invoice that says the very same, if there is one."""
    same = Invoice.objects.live().filter(
        booking=draft.booking,
        kind=draft.bill.kind,
        billed_for=draft.bill.billed_for,
        issued_on=draft.bill.issued_on,
        due_on=draft.bill.due_on,
        total=draft.bill.totals.total,
    )
    return same.first()


def messages_about(invoice: NewInvoice) -> list[Message]:
    """Return what tells its customer of a new invoice; nothing where nothing is to be paid."""
    if invoice.status != Invoice.Status.PENDING:
        return []
    notice = Notice(
        "invoice_issued",
        invoice_context(invoice),
        key=issued_key_of(invoice),
        relevance=STILL_TO_PAY,
    )
    return messages_to(invoice.customer, notice)


def issued_key_of(invoice: Invoice | NewInvoice) -> str:
    return f"invoice_issued/{invoice.number}"
