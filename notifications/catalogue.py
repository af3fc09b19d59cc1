"""Every type of message, in one table: what its e-mail needs, and what its WhatsApp says.

A context holds texts that are ready to be read: an amount with its currency ("£42.00"), a date in
words ("Friday 27 November 2026"), a time with its zone ("… at 18:30 GMT"). A template prints them
and computes nothing, so every number a customer sees is the one that its app wrote, on whatever
channel. A context may hold more than the table asks for, such as the id that a relevance check
reads. No text is relative to today: a message may wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from egac.outbox import Unsendable

LANGUAGE = "en_GB"

# Each name a template may ask for, with a sample: a name means the same in every type.
SAMPLES = {
    "name": "Amelia Hart",  # the customer written to
    "instructor": "Sam Okafor",
    # A booking and its classes
    "booking": "Junior running (monthly)",
    "times": "Tuesdays and Thursdays at 18:30 UK time",
    "first_class_at": "Tuesday 1 December 2026 at 18:30 GMT",
    "price": "£42.00 a month",
    "how_billed": "We send you an invoice 5 days before each payment is due.",  # a sentence
    "class_name": "Junior running",
    "starts_at": "Tuesday 1 December 2026 at 18:30 GMT",
    "cancelled_because": "The hall is closed for repairs.",  # as staff wrote it
    "join_link": "https://zoom.example/j/98765432101?pwd=c2FtcGxl",
    "host_link": "https://zoom.example/s/98765432101?zak=c2FtcGxlIGhvc3Q",  # a secret
    # An invoice
    "invoice_number": "EGAC-2026-00042",
    "billed_for": "Junior running, 27 November to 26 December 2026",
    "amount": "£42.00",  # what is left to pay
    "due_on": "Friday 27 November 2026",
    "invoice_link": "https://club.example/invoices/EGAC-2026-00042?signature=c2FtcGxl&page=1",
    "reminder": "Reminder",  # or "Final reminder"
    "locks_on": "Tuesday 8 December 2026",
    "paid_amount": "£42.00",
    "paid_on": "Wednesday 25 November 2026",
    # An alert; its details may have several lines
    "headline": "3 invites failed, 1 booking could not be billed",
    "details": (
        "Invites that failed: 3\n"
        "Bookings that could not be billed: 1 (Zoë Hart, Junior running: it has no price)"
    ),
    "next_step": "Correct what each of them says, then retry it.",
    "admin_link": "https://club.example/admin/",
}


@dataclass(frozen=True)
class WhatsAppTemplate:
    """A template as it is registered at Meta; `variables` are context names, {{1}} first."""

    name: str
    variables: tuple[str, ...]


@dataclass(frozen=True)
class MessageType:
    """What a type means, in words, and what it takes to write one.

    An urgent one is waited for: it does not wait for a batch to fill. Without `whatsapp` it goes
    by e-mail only: to staff, to an instructor, or where domain.md §5 names no other channel.
    """

    title: str
    needs: tuple[str, ...]
    whatsapp: WhatsAppTemplate | None = None
    is_urgent: bool = False


INVOICE = ("name", "invoice_number", "amount", "due_on", "invoice_link")

TYPES = {
    "booking_confirmation": MessageType(
        "Booking confirmed",
        ("name", "booking", "times", "first_class_at", "price", "how_billed"),
        WhatsAppTemplate("booking_confirmation", ("name", "booking", "first_class_at")),
        is_urgent=True,
    ),
    "class_notification": MessageType(
        "Join link of an online class",
        ("name", "class_name", "starts_at", "instructor", "join_link"),
        # The name that the club's rows already use.
        WhatsAppTemplate("class_reminder", ("name", "starts_at", "join_link")),
        is_urgent=True,
    ),
    "class_host_notification": MessageType(
        "Host link of an online class, to its instructor",
        ("instructor", "class_name", "starts_at", "host_link"),
        is_urgent=True,
    ),
    "class_cancelled": MessageType(
        "A class is cancelled",
        ("name", "class_name", "starts_at", "cancelled_because"),
        WhatsAppTemplate(
            "class_cancelled", ("name", "class_name", "starts_at", "cancelled_because")
        ),
        is_urgent=True,
    ),
    "invoice_issued": MessageType(
        "New invoice",
        (*INVOICE, "billed_for"),
        WhatsAppTemplate("invoice_issued", INVOICE),
    ),
    "payment_reminder": MessageType(
        "Reminder before an invoice is due",
        (*INVOICE, "reminder"),
        WhatsAppTemplate("payment_reminder", INVOICE),
    ),
    "payment_overdue": MessageType(
        "An invoice is overdue",
        (*INVOICE, "booking", "locks_on"),
    ),
    "access_grace": MessageType(
        "A booking will be locked soon",
        (*INVOICE, "booking", "locks_on"),
        WhatsAppTemplate(
            "access_grace",
            ("name", "booking", "invoice_number", "amount", "locks_on", "invoice_link"),
        ),
    ),
    "access_locked": MessageType(
        "A booking is locked",
        (*INVOICE, "booking"),
        WhatsAppTemplate(
            "access_locked", ("name", "booking", "invoice_number", "amount", "invoice_link")
        ),
    ),
    "access_restored": MessageType(
        "A booking is open again",
        ("name", "booking"),
        is_urgent=True,
    ),
    "payment_received": MessageType(
        "An invoice is paid",
        ("name", "invoice_number", "paid_amount", "paid_on", "invoice_link"),
        WhatsAppTemplate("payment_received", ("name", "invoice_number", "paid_amount", "paid_on")),
    ),
    "staff_alert": MessageType(
        "Something for staff to look at",
        ("headline", "details", "next_step", "admin_link"),
    ),
}


def title_of(type: str) -> str:
    """Return a type in words; one that the table does not know stands for itself."""
    return TYPES[type].title if type in TYPES else type


def sample_context(type: str) -> dict[str, str]:
    """Return what a message of this type could say, for previews and tests."""
    return {name: SAMPLES[name] for name in TYPES[type].needs}


def require_context(template: str, context: Mapping[str, Any]) -> None:
    """Raise Unsendable where a message of a known template would show a hole.

    What a template of another name needs nobody knows here, so it passes.
    """
    needs = TYPES[template].needs if template in TYPES else ()
    # "None" is what is left of a missing value that somebody formatted.
    missing = [name for name in needs if str(context.get(name, "")).strip() in ("", "None")]
    if missing:
        raise Unsendable(f"The context of its template {template} lacks {', '.join(missing)}.")
    for name in needs:
        if not isinstance(context[name], str):
            raise Unsendable(f"Its context's {name} is no text. Write it as it is to be read.")
        if name.endswith("_link") and not context[name].startswith(("https://", "http://")):
            raise Unsendable(f"Its context's {name} is no web address.")


def email_payload(type: str, *, to: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the queue's payload of an e-mail of this type; raise Unsendable."""
    _require_known(type, context)
    return {"channel": "email", "to": to, "template": type, "context": dict(context)}


def whatsapp_payload(type: str, *, to: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the queue's payload of a WhatsApp message of this type; raise Unsendable.

    The context goes along, for a relevance check reads it.
    """
    _require_known(type, context)
    template = TYPES[type].whatsapp
    if template is None:
        raise Unsendable(f"A message of the type {type} goes by e-mail only.")
    return {
        "channel": "whatsapp",
        "to": to,
        "template": template.name,
        "language": LANGUAGE,
        # Meta refuses a variable with line breaks, tabs or a run of spaces (its error 132018).
        "variables": [" ".join(context[name].split()) for name in template.variables],
        "context": dict(context),
    }


def _require_known(type: str, context: Mapping[str, Any]) -> None:
    if type not in TYPES:
        raise Unsendable(f"There is no type of message called {type!r}.")
    require_context(type, context)
