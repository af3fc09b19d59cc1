"""The three buttons of notifications, the page that asks for a time, and how a payload is shown."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.template import engines
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from egac.admin_actions import Line, StaffAction
from egac.channels import why_closed
from egac.explain import day_and_clock
from egac.outbox import Irrelevant, Unsendable
from egac.staff import Changed, Seen
from notifications import staff
from notifications.catalogue import title_of
from notifications.lanes import Bounds
from notifications.models import Notification
from notifications.passes import CHANNELS

RETRY = StaffAction(
    "retry",
    "Retry now",
    "notifications.retry_notification",
    "They are made due, and the worker sends them. Failed and cancelled ones get all their "
    "attempts again.",
)
CANCEL = StaffAction(
    "cancel",
    "Cancel",
    "notifications.cancel_notification",
    "They are not sent.",
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
    return format_html('<pre class="ops-text" tabindex="0">{}</pre>', text)


def variables_shown(payload: dict[str, Any]) -> SafeString | str:
    """Return what fills a WhatsApp template, {{1}} first, a line each."""
    variables = payload.get("variables")
    if not isinstance(variables, list) or not variables:
        return "none"
    lines = ((number, without_links(str(word))) for number, word in enumerate(variables, 1))
    return format_html_join("", '<span class="ops-line">{}. {}</span><br>', lines)


def channel_in_words(row: Notification) -> str:
    """Return the channel that the payload names."""
    named = row.payload.get("channel") if isinstance(row.payload, dict) else None
    return CHANNEL_WORDS.get(named, "none") if isinstance(named, str) else "none"


def why_held(row: Notification) -> str:
    """Return why nothing goes out on the row's channel now, or ""."""
    channel = "whatsapp" if row.is_whatsapp else "email"
    return CHANNELS[channel][-1](Bounds(), len).why_held() or why_closed(channel)


def whatsapp_facts(row: Notification) -> list[tuple[str, Any]]:
    """Return a WhatsApp message as its template and what fills it; nothing for an e-mail."""
    if not row.is_whatsapp:
        return []
    template = f"{row.payload.get('template')} ({row.payload.get('language') or 'en_GB'})"
    return [("WhatsApp template", template), ("Its variables", variables_shown(row.payload))]


def line_of(
    action: StaffAction, row: Notification, suppressed: dict[str, str], now: datetime
) -> Line:
    """Return to whom the button would send what, and what speaks against it."""
    to = f"{row.recipient or 'no recipient'}, number {row.pk}"
    return Line(to, title_of(row.type), _warning(action, row, suppressed, now))


def _warning(
    action: StaffAction, row: Notification, suppressed: dict[str, str], now: datetime
) -> str:
    if row.in_doubt_since or row.reason == "uncertain":
        return "Perhaps it arrived already."
    if action is CANCEL:
        return ""
    if row.expires_at and row.expires_at <= now:
        return f"It will not be sent: it was of use until {day_and_clock(row.expires_at)}."
    if why := suppressed.get(row.recipient.lower()):
        return f"It will not be sent: {why}."
    if row.forbidden:
        return f"It will not be sent: {row.forbidden}"
    try:
        row.render()
    except (Unsendable, Irrelevant) as error:
        return f"It will fail: {error}"
    return ""


class TimeForm(forms.Form):
    """When rescheduled messages go, on the club's clock."""

    at = forms.DateTimeField(
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M",
            attrs={"type": "datetime-local", "aria-describedby": "at-help", "required": True},
        ),
        error_messages={
            "required": "Choose a day and a time.",
            "invalid": "That is no day and time: write for example 2027-01-31 18:30.",
        },
    )

    def __init__(self, data: Any = None, *, now: datetime) -> None:
        super().__init__(data)
        self.now = now
        zone = settings.TIME_ZONE
        self.help = f"In the club's time zone, {zone}, where it is {day_and_clock(now)} now."

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"]
        if at <= self.now:
            raise forms.ValidationError("That time is over: choose one that is still to come.")
        if at > self.now + MOST_AHEAD:
            raise forms.ValidationError("That is more than a year ahead: choose an earlier one.")
        return at

    def time(self) -> datetime:
        """Return the chosen time; raise ValidationError for one that cannot be."""
        if self.error:
            raise forms.ValidationError(self.error)
        at: datetime = self.cleaned_data["at"]
        return at

    @property
    def error(self) -> str:
        """What is wrong with the time, as one sentence; "" where nothing is."""
        return " ".join(map(str, self.errors.get("at", []))) if self.is_bound else ""


def typed_time(data: Any) -> TimeForm:
    """Return the form as it was posted."""
    return TimeForm(data, now=timezone.now())  # noqa: TID251  a page reads the clock


def do(action: StaffAction, seen: Seen, data: Any) -> tuple[Changed, str, str]:
    """Call the button's verb; return both numbers, what it did in words, and more for the log.

    Raises ValidationError where the posted time cannot be.
    """
    if action is RETRY:
        did = "are due now: the worker sends them"
        return staff.retry_now(list(seen), seen=seen), did, ""
    if action is CANCEL:
        return staff.cancel_messages(list(seen), seen=seen), "cancelled", ""
    at = typed_time(data).time()
    to = f"to {day_and_clock(at)}"
    return staff.reschedule(list(seen), at=at, seen=seen), f"rescheduled {to}", f", {to}"


# The page that asks has no place for a field of another kind, so this one says it all again.
RESCHEDULE_PAGE = """{% extends "admin/confirm_action.html" %}
{% block content %}
<div id="content-main">
{% if count %}
<p class="ops-lead"><strong>{{ action.label }}: {{ count }} {% if count == 1 %}
{{ opts.verbose_name }}{% else %}{{ opts.verbose_name_plural }}{% endif %}.</strong>
{{ action.consequence }}</p>
{% else %}
<p class="ops-lead"><strong>There is nothing to do here.</strong> None of the chosen
{{ opts.verbose_name_plural }} can take “{{ action.label }}”.</p>
{% endif %}
{% if skipped %}<p class="ops-skipped">Will be skipped: {{ skipped|join:", " }}.</p>{% endif %}
{% if lines %}<ul class="ops-lines">
{% for line in lines %}<li><span class="ops-to">{{ line.to }}</span>
<span class="ops-second">{{ line.subject }}</span>
{% if line.warning %}<span class="ops-warning">{{ line.warning }}</span>{% endif %}</li>
{% endfor %}</ul>
{% if more %}<p>… and {{ more }} more.</p>{% endif %}{% endif %}
<form method="post" action="{{ action_url }}" class="ops-form">
{% csrf_token %}
{% if count %}
<input type="hidden" name="seen" value="{{ seen }}">
<input type="hidden" name="back" value="{{ back }}">
<p class="ops-field"><label for="id_at">When?</label>
{{ form.at }}
<span class="help" id="at-help">{{ form.help }}</span>
{% if form.error %}<strong class="ops-warning" role="alert">{{ form.error }}</strong>{% endif %}
</p>
{% endif %}
<div class="submit-row">
{% if count %}<button type="submit" class="button default">{{ action.label }}
{% if count > 1 %} ({{ count }}){% endif %}</button>{% endif %}
<a class="closelink" href="{{ back_url }}">Go back</a>
</div>
</form>
</div>
{% endblock %}"""


def reschedule_page() -> Any:
    """Return the template of the page that asks for a time."""
    return engines["django"].from_string(RESCHEDULE_PAGE)
