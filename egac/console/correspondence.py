"""What became of somebody's messages: each attempt, and what the provider told of it later."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from egac.console.outgoing import attempt_of, tone_of
from egac.console.pages import MOST_EVENTS, Event
from egac.delivery import DeliveryEvent, MessageAudit

MOST_COUNTED = 10_000  # of what is left out
MOST_LINES = 5 * MOST_EVENTS  # as many as the attempts of so many messages


@dataclass(frozen=True)
class Message:
    """A message as a timeline names it."""

    title: str
    url: str


def what_became_of(source: str, messages: Mapping[str, Message]) -> Iterator[Event]:
    """Yield every attempt to send these rows of a table, and every delivery event of them.

    `messages` are by the key of each row, as the audit has it.
    """
    lines = MessageAudit.objects.filter(source=source, source_id__in=messages)
    rows_by_id: dict[str, str] = {}
    for line in lines.order_by("-at")[:MOST_LINES]:
        told, message = attempt_of(line), messages[line.source_id]
        rows_by_id[line.provider_message_id] = line.source_id
        what = f"{message.title}: {told.what}"
        yield Event(line.at, what, told.tone, told.details, message.url)
    yield from _deliveries(source, messages, rows_by_id)


def _deliveries(
    source: str, messages: Mapping[str, Message], rows_by_id: Mapping[str, str]
) -> Iterator[Event]:
    """Tell what providers told later; an event names its row, or only the message."""
    ids = [message_id for message_id in rows_by_id if message_id]
    named = Q(source=source, source_id__in=list(messages)) | Q(provider_message_id__in=ids)
    for event in DeliveryEvent.objects.filter(named).order_by("-occurred_at")[:MOST_LINES]:
        message = messages[rows_by_id.get(event.provider_message_id, event.source_id)]
        what = f"{message.title}: {event.get_kind_display()}"
        yield Event(event.occurred_at, what, tone_of(event), event.detail, message.url)


def standings(rows: Sequence[Any], now: datetime) -> dict[Any, str]:
    """Return of outgoing rows of one table by key what their own pages say of where they stand."""
    if not rows:
        return {}
    pages: Any = admin.site.get_model_admin(type(rows[0]))
    told: dict[Any, str] = pages.standings(list(rows), now)
    return told


def latest(rows: QuerySet[Any]) -> tuple[Sequence[Any], int]:
    """Return the first MOST_EVENTS of these rows, and how many are left out, as far as it counts"""
    shown = list(rows[:MOST_EVENTS])
    if len(shown) < MOST_EVENTS:
        return shown, 0
    return shown, rows[MOST_EVENTS : MOST_EVENTS + MOST_COUNTED].count()
