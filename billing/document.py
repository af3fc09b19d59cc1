"""An invoice as a document: every word of it, once, for its page and its PDF alike."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.timezone import localtime

from billing.models import Invoice, InvoiceLine
from egac.days import day_in_words
from egac.money import in_words

HEADINGS = ("Description", "Quantity", "Price", "Tax", "Amount")
ASK_US = "Reply to the e-mail that brought you here, and we tell you how to pay."


@dataclass(frozen=True)
class Document:
    """What an invoice says, as texts that are ready to be read.

    Each line is a row of HEADINGS with what stands under them; the last of `totals` is what counts
    in the end.
    """

    number: str
    title: str
    standing: str  # what is to be done, in a sentence
    is_open: bool  # whether anything is still to be paid
    club: tuple[str, ...]
    billed_to: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[tuple[tuple[str, str], ...], ...]
    totals: tuple[tuple[str, str], ...]
    how_to_pay: tuple[str, ...]
    contact: str
    headings: tuple[str, ...] = HEADINGS


def document_of(invoice: Invoice) -> Document:
    """Return the words of an invoice as it stands now; it reads the invoice's lines."""
    is_open = invoice.status == Invoice.Status.PENDING
    return Document(
        number=invoice.number,
        title=f"Invoice {invoice.number}",
        standing=_standing(invoice),
        is_open=is_open,
        club=(settings.CLUB_NAME, *_lines_of(settings.CLUB_DETAILS)),
        billed_to=_lines_of(invoice.billed_to),
        facts=(
            ("Invoice", invoice.number),
            ("Date", day_in_words(invoice.issued_on)),
            ("Due", day_in_words(invoice.due_on)),
            ("For", invoice.billed_for),
        ),
        lines=tuple(_cells(line, invoice.currency) for line in invoice.lines.all()),
        totals=_totals(invoice),
        how_to_pay=_how_to_pay(invoice) if is_open else (),
        contact=_contact(),
    )


def _standing(invoice: Invoice) -> str:
    if invoice.status == Invoice.Status.CANCELLED:
        on = localtime(invoice.cancelled_at).date() if invoice.cancelled_at else None
        when = f" on {day_in_words(on)}" if on else ""
        return f"This invoice was cancelled{when}. There is nothing to pay."
    if invoice.status == Invoice.Status.PAID:
        when = f" on {day_in_words(invoice.paid_on)}" if invoice.paid_on else ""
        return f"Paid{when}. Thank you: there is nothing more to do."
    left = in_words(invoice.left_to_pay, invoice.currency)
    return f"Please pay {left} by {day_in_words(invoice.due_on)}."


def _cells(line: InvoiceLine, currency: str) -> tuple[tuple[str, str], ...]:
    cells = (
        line.description,
        str(line.quantity),
        in_words(line.unit_price, currency),
        f"{in_words(line.tax, currency)} ({percent_in_words(line.tax_percent)})",
        in_words(line.net, currency),
    )
    return tuple(zip(HEADINGS, cells, strict=True))


def percent_in_words(percent: Decimal) -> str:
    """Return a percentage without idle noughts: `20%`, `12.5%`."""
    return f"{percent.normalize():f}%"


def _totals(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    amounts = [
        ("Amount without tax", invoice.net),
        ("Tax", invoice.tax),
        ("Total", invoice.total),
    ]
    if invoice.status != Invoice.Status.CANCELLED and invoice.paid:
        amounts += [("Paid", invoice.paid), ("Left to pay", invoice.left_to_pay)]
    return tuple((label, in_words(amount, invoice.currency)) for label, amount in amounts)


def _how_to_pay(invoice: Invoice) -> tuple[str, ...]:
    told = _lines_of(settings.INVOICE_PAYMENT_DETAILS)
    return (*told, f"Reference: {invoice.number}") if told else (ASK_US,)


def _contact() -> str:
    to = f"Write to {settings.REPLY_TO}" if settings.REPLY_TO else "Reply to our e-mail"
    return f"Questions? {to} and we will help."


def _lines_of(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
