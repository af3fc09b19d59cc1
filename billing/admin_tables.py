"""What stands on the page of an invoice: its lines, payments, reminders and messages."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from billing.document import document_of
from billing.history import messages_of
from billing.models import Invoice
from egac.console.pages import Table
from egac.console.records import badge, moment
from egac.money import in_words
from notifications.services import title_of

NO_PAYMENT = "Nothing came in for it yet."
NO_MESSAGE = "No message about it is kept."
WORDS_OF_CHANNELS = {"email": "e-mail", "whatsapp": "WhatsApp"}
TONES_OF_MESSAGES = {
    "pending": "waiting",
    "processing": "moving",
    "completed": "good",
    "failed": "bad",
    "cancelled": "off",
}


def tables_of(invoice: Invoice) -> list[Table]:
    """Return all of them, as the customer's document says it where it says it."""
    document = document_of(invoice)
    lines = [[cell for _, cell in line] for line in document.lines]
    sums = [["", "", "", label, amount] for label, amount in document.totals]
    return [
        Table("Lines", document.headings, lines + sums, ""),
        Table("Payments", ("Amount", "Day", "How", "Reference"), _payments(invoice), NO_PAYMENT),
        Table("Reminders", ("Step", "By", "Day"), _steps(invoice), "Nobody was reminded of it."),
        Table("Messages", ("Message", "To", "Status", "Queued"), _messages(invoice), NO_MESSAGE),
    ]


def _payments(invoice: Invoice) -> list[Sequence[Any]]:
    return [
        (
            in_words(each.amount, each.currency),
            f"{each.paid_on:%-d %B %Y}",
            each.get_method_display(),
            each.reference or "–",
        )
        for each in invoice.payments.all()
    ]


def _steps(invoice: Invoice) -> list[Sequence[Any]]:
    return [
        (
            each.get_step_display().capitalize(),
            WORDS_OF_CHANNELS.get(each.channel, each.channel),
            f"{each.taken_on:%-d %B %Y}",
        )
        for each in invoice.steps.order_by("pk")
    ]


def _messages(invoice: Invoice) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    for row in messages_of(invoice):
        url = reverse("admin:notifications_notification_change", args=[row.pk])
        title = format_html('<a href="{}">{}</a>', url, title_of(row.type))
        tone = TONES_OF_MESSAGES[row.status]
        state = badge(row.get_status_display(), tone)
        rows.append((title, row.recipient, state, moment(row.created_at)))
    return rows
