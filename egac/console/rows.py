"""How outgoing rows stand, for the dashboard: each state with its number and its filtered list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce, Now
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from egac.channels import Channel, explain
from egac.console.records import badge
from egac.explain import clock
from egac.outbox import OutgoingQuerySet

MOST_LOOKED_AT = 10_000  # of due rows, in the order of claims


@dataclass(frozen=True)
class State:
    """One state: how many rows are in it, and the list of them."""

    badge: SafeString
    count: int
    url: str

    @property
    def number(self) -> str:
        return f"{self.count:,}"


@dataclass(frozen=True)
class Flow:
    """Rows that leave one way: how they stand, and when the due ones are gone."""

    title: str
    states: list[State]
    later: str
    oldest: str
    forecast: str


@dataclass(frozen=True)
class Open:
    """The rows of one way that are still to be sent."""

    pending: int
    processing: int
    due: int
    oldest_due_at: datetime | None

    @property
    def later_in_words(self) -> str:
        """Return how many are not due yet, or ""."""
        more = " more" if self.due else ""
        later = self.pending - self.due
        if later == 1:
            return f"1{more} waits for its time."
        return f"{later:,}{more} wait for their time." if later else ""

    def oldest_in_words(self, now: datetime) -> str:
        """Return since when the oldest due row waits, or ""."""
        if self.oldest_due_at is None:
            return ""
        return f"The oldest has been due since {clock(self.oldest_due_at, now)}."


def open_rows(rows: OutgoingQuerySet) -> Open:
    """Count what is still to be sent, exactly, by the partial indexes on it."""
    status = rows.model.Status
    its_time_has_come = Q(due_at=None) | Q(due_at__lte=Now())
    pending = rows.filter(status=status.PENDING).aggregate(
        all=Count("pk"), due=Count("pk", filter=its_time_has_come)
    )
    first = rows.due().in_order()[:MOST_LOOKED_AT]
    return Open(
        pending=pending["all"],
        processing=rows.filter(status=status.PROCESSING).count(),
        due=pending["due"],
        oldest_due_at=first.aggregate(oldest=Min(Coalesce("due_at", "updated_at")))["oldest"],
    )


def states_of(
    counts: dict[str, int], model: Any, *, tones: dict[str, str], query: str = ""
) -> list[State]:
    """Return every state of a table's rows; `query` narrows the linked lists further."""
    opts = model._meta
    page = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return [
        State(badge(label, tones[word]), counts[word], f"{page}?status__exact={word}{query}")
        for word, label in model.Status.choices
    ]


def why_paused(channel: Channel) -> str:
    """Return why nothing goes until a person resumes the channel, or ""."""
    return f"{explain(channel)} Resume it to send them." if channel.paused_at else ""


def as_sentence(clause: str) -> str:
    """Return a clause as a sentence of its own; "" stays ""."""
    return f"{capfirst(clause)}." if clause else ""


def opens_at(channel: Channel, now: datetime) -> datetime | None:
    """Return when a channel that closed by itself opens again, or None."""
    held_until: datetime | None = channel.held_until
    return held_until if held_until and held_until > now else None
