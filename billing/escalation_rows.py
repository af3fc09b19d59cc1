"""What the two jobs about unpaid invoices tell: a row for everything they did or would do."""

from billing.access import Moved
from billing.batches import Row
from billing.digest import Digest
from billing.models import Invoice
from billing.reminders import Access
from billing.reminding import Reminded
from billing.tally import iso
from bookings.models import Booking
from egac.money import in_words
from notifications.services import rows_of_messages

OUTCOMES = {
    Access.GRACE: "escalated_to_grace",
    Access.LOCKED: "escalated_to_locked",
    Access.ACTIVE: "restored_to_active",
}
NOT_MOVED, REMINDED, NOT_ON_ITS_CHANNELS, NOT_REMINDED, DIGEST = (
    "not moved",
    "reminded",
    "not on its channels",
    "not reminded",
    "digest",
)


def row_of_move(moved: Moved) -> Row:
    """Return a move of access field by field, or why it failed."""
    who = who_of(moved.booking)
    if moved.change is None:
        return {**who, "ok": False, "outcome": NOT_MOVED, "error": moved.problem}
    change = moved.change
    return {
        **who,
        "ok": True,
        "outcome": OUTCOMES[change.new],
        "old": str(change.old),
        "new": str(change.new),
        "why": change.why,
        **(about(change.invoice) if change.invoice else {}),
        "messages": rows_of_messages(moved.messages),
    }


def row_of_reminder(reminded: Reminded) -> Row:
    """Return a reminder field by field, or why there is none."""
    invoice = reminded.invoice
    who = {**who_of(invoice.booking), **about(invoice)}
    if reminded.problem:
        return {**who, "ok": False, "outcome": NOT_REMINDED, "error": reminded.problem}
    told = {**who, "ok": True, "step": str(reminded.step)}
    if reminded.why:
        return {**told, "outcome": NOT_ON_ITS_CHANNELS, "why": reminded.why}
    return {**told, "outcome": REMINDED, "messages": rows_of_messages(reminded.messages)}


def row_of_digest(digest: Digest) -> Row:
    """Return what staff are told of the day."""
    return {
        "ok": True,
        "outcome": DIGEST,
        "headline": digest.headline,
        "details": digest.details,
        "messages": rows_of_messages(digest.messages),
    }


def who_of(booking: Booking) -> Row:
    return {
        "booking_id": booking.pk,
        "customer": booking.customer.name,
        "booking": booking.title,
    }


def about(invoice: Invoice) -> Row:
    """Return what an invoice asks for; its link is a key, so it stands in no result."""
    return {
        "invoice_number": invoice.number,
        "amount": in_words(invoice.left_to_pay, invoice.currency),
        "due_on": iso(invoice.due_on),
    }


def in_a_line(row: Row) -> str:
    """Return a row of a result as a person reads it."""
    if row["outcome"] == DIGEST:
        return f"To staff: {row['headline']}; {_told(row)}\n{row['details']}"
    who = f"{row['customer']}, {row['booking']}"
    if not row["ok"]:
        return f"Could not be done: {who}. {row['error']}"
    of_invoice = (
        f" {row['invoice_number']}: {row['amount']}, due {row['due_on']};"
        if "invoice_number" in row
        else ""
    )
    if row["outcome"] == NOT_ON_ITS_CHANNELS:
        return f"Nobody is told: {who};{of_invoice} {row['step']}. {row['why']}"
    if row["outcome"] == REMINDED:
        return f"{row['step']}: {who};{of_invoice} {_told(row)}"
    return f"{row['old']} → {row['new']}: {who}; {row['why']}{of_invoice} {_told(row)}"


def _told(row: Row) -> str:
    told = [f"{each['type']} by {each['channel']} to {each['to']}" for each in row["messages"]]
    return ", ".join(told) or "nobody is told"
