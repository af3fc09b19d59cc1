"""The three buttons of notifications, the form that asks for a time, and how a payload is shown."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from egac.console.actions import Line, StaffAction
from egac.explain import day_and_clock
from egac.masking import private
from egac.staff import Changed, Seen
from notifications import staff
from notifications.catalogue import title_of
from notifications.models import Notification

RETRY = StaffAction(
    "retry",
    "Retry now",
    "notifications.retry_notification",
    "They are made due, and the worker sends them. Failed and cancelled ones get all their "
    "attempts again.",
    sends=True,
    asks_number=True,
)
CANCEL = StaffAction(
    "cancel",
    "Cancel",
    "notifications.cancel_notification",
    "They are not sent.",
    needs_reason=True,
    is_drastic=True,
    asks_number=True,
    reason_help="It stands in the history, for example “the class is another day”.",
)
RESCHEDULE = StaffAction(
    "reschedule",
    "Reschedule",
    "notifications.reschedule_notification",
    "They wait until the time that you choose; the worker sends them then.",
)
MOST_AHEAD = timedelta(days=366)

# Who has a link can join, host or see an invoice: a page shows no more than where it leads.
LINK = re.compile(r"""(https?://[^/?#\s"'<>\\]+[/?#])[^\s"'<>\\]+""", re.IGNORECASE)
CHANNEL_WORDS = {"email": "e-mail", "whatsapp": "WhatsApp"}
HIDDEN = "(hidden)"
MOST_SHOWN_OF_A_PAYLOAD = 20_000  # characters: an attachment is longer


def why_not(action: StaffAction, row: Notification) -> str:
    """Return why the button leaves this row alone, or ""."""
    if action is RESCHEDULE:
        return staff.why_not_moved(row)
    return staff.why_skipped(row, staff.RETRIED if action is RETRY else staff.TAKEN_BACK)


def without_links(text: str) -> str:
    """Return the text with every link cut off behind its host."""
    return LINK.sub(r"\1…", text)


def payload_shown(payload: Any) -> SafeString:
    """Return a payload as JSON to be read, its links shortened and a host link left out."""
    context = payload.get("context") if isinstance(payload, dict) else None
    if isinstance(context, dict) and "host_link" in context:
        payload = {**payload, "context": {**context, "host_link": HIDDEN}}
    text = without_links(json.dumps(payload, indent=2, ensure_ascii=False))
    rest = len(text) - MOST_SHOWN_OF_A_PAYLOAD
    if rest > 0:
        text = f"{text[:MOST_SHOWN_OF_A_PAYLOAD]}\n… and {rest:,} more characters"
    return private(format_html('<pre class="ops-text" tabindex="0">{}</pre>', text))


def variables_shown(payload: dict[str, Any]) -> SafeString | str:
    """Return what fills a WhatsApp template, {{1}} first, a line each."""
    variables = payload.get("variables")
    if not isinstance(variables, list) or not variables:
        return "none"
    lines = ((number, without_links(str(word))) for number, word in enumerate(variables, 1))
    return private(format_html_join("", '<span class="ops-line">{}. {}</span><br>', lines))


def channel_in_words(row: Notification) -> str:
    """Return the channel that the payload names."""
    named = row.payload.get("channel") if isinstance(row.payload, dict) else None
    return CHANNEL_WORDS.get(named, "none") if isinstance(named, str) else "none"


def whatsapp_facts(row: Notification) -> list[tuple[str, Any]]:
    """Return a WhatsApp message as its template and what fills it; nothing for an e-mail."""
    if not row.is_whatsapp:
        return []
    template = f"{row.payload.get('template')} ({row.payload.get('language') or 'en_GB'})"
    return [("WhatsApp template", template), ("Its variables", variables_shown(row.payload))]


def line_of(row: Notification, why_unsent: str) -> Line:
    """Return to whom the button is about to do something, and what speaks against it."""
    to = f"{row.recipient or 'no recipient'}, number {row.pk}"
    warning = f"It will not be sent: {why_unsent}." if why_unsent else ""
    if row.in_doubt_since or row.reason == "uncertain":
        warning = "Perhaps it arrived already."
    return Line(to, title_of(row.type), warning)


class TimeForm(forms.Form):
    """When rescheduled messages go, on the club's clock."""

    at = forms.DateTimeField(
        label="When?",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        error_messages={
            "required": "Choose a day and a time.",
            "invalid": "That is no day and time: write for example 2027-01-31 18:30.",
        },
    )

    def __init__(self, data: Any = None, *, now: datetime) -> None:
        super().__init__(data)
        self.now = now
        zone = settings.TIME_ZONE
        told = f"In the club's time zone, {zone}, where it is {day_and_clock(now)} now."
        self.fields["at"].help_text = told

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at <= self.now:
            raise forms.ValidationError("That time is over: choose one that is still to come.")
        if at > self.now + MOST_AHEAD:
            raise forms.ValidationError("That is more than a year ahead: choose an earlier one.")
        return at


def are_due(count: int) -> str:
    """Return what a retry did with so many, in words that follow the number."""
    return "is due now: the worker sends it" if count == 1 else "are due now: the worker sends them"


def do(action: StaffAction, seen: Seen, typed: Mapping[str, Any]) -> tuple[Changed, str, str]:
    """Call the button's verb; return both numbers, what it did in words, and more for the log."""
    if action is RETRY:
        changed = staff.retry_now(list(seen), seen=seen)
        return changed, are_due(changed.changed), ""
    if action is CANCEL:
        return staff.cancel_messages(list(seen), seen=seen), "cancelled", ""
    at = typed["at"]
    to = f"to {day_and_clock(at)}"
    return staff.reschedule(list(seen), at=at, seen=seen), f"rescheduled {to}", f", {to}"
