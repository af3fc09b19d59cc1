"""The buttons of invoices and which they take; where an invoice stands, in words."""

from datetime import date

from billing.models import Invoice
from billing.reach import channels_to
from billing.reminders import days_late
from egac.console.actions import Line, StaffAction
from egac.money import in_words

Status = Invoice.Status

PAY = StaffAction(
    "pay",
    "Record payment",
    "billing.record_payment",
    "It is counted towards the invoice. Once all of it is paid the customer is thanked, and access "
    "that the invoice kept is given back.",
    one_only=True,
    reason_help="It stands in the history, for example “she paid at the desk”.",
)
CANCEL = StaffAction(
    "cancel",
    "Cancel",
    "billing.cancel_invoice",
    "Nothing is to be paid for them, and nobody is reminded; they keep their numbers. Their "
    "classes can be billed again, a month is not. The customers are not told.",
    needs_reason=True,
    is_drastic=True,
    reason_help="It stands in the history, for example “billed twice”.",
)
TONES: dict[str, str] = {
    Status.PENDING: "waiting",
    Status.PAID: "good",
    Status.CANCELLED: "off",
}
WHY_NOT = {Status.PAID: "paid already", Status.CANCELLED: "cancelled already"}
NOBODY_IS_TOLD = "Nobody can be told: there is neither an address nor an agreed number."


def why_not(action: StaffAction, invoice: Invoice) -> str:
    """Return why a button leaves this invoice alone, or ""."""
    if invoice.status != Status.PENDING:
        return WHY_NOT[Status(invoice.status)]
    return "with money that came in" if action is CANCEL and invoice.paid else ""


def line_of(action: StaffAction, invoice: Invoice) -> Line:
    """Return which invoice it is, and whether its customer would hear of a payment."""
    left = in_words(invoice.left_to_pay, invoice.currency)
    subject = f"{invoice.customer}: {left} left to pay, for {invoice.billed_for}"
    is_mute = action is PAY and not channels_to(invoice.customer)
    return Line(invoice.number, subject, NOBODY_IS_TOLD if is_mute else "")


def state_of(invoice: Invoice, on: date) -> tuple[str, str]:
    """Return the word and the tone of where an invoice stands; overdue is derived."""
    if invoice.status == Status.PENDING and days_late(invoice.due_on, on) > 0:
        return "overdue", "bad"
    return invoice.get_status_display(), TONES[invoice.status]


def age_in_words(invoice: Invoice, on: date) -> str:
    """Return when an invoice is due, or how late it is, while it is to be paid."""
    if invoice.status != Status.PENDING:
        return "–"
    late = days_late(invoice.due_on, on)
    if late == 0:
        return "due today"
    days = "1 day" if abs(late) == 1 else f"{abs(late)} days"
    return f"{days} late" if late > 0 else f"due in {days}"
