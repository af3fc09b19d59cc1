"""The base of the admins of outgoing rows: their columns, filters, record and e-mail."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from egac.console.causes import CauseFilter
from egac.console.instant import now_of
from egac.console.masking import require_sight
from egac.console.pages import MOST_EVENTS as MOST_EVENTS
from egac.console.pages import Event as Event
from egac.console.pages import PageAdmin
from egac.console.preview import PreviewingAdmin, email_page
from egac.console.records import badge, moment, took
from egac.delivery import DeliveryEvent, MessageAudit, events_of
from egac.explain import REASONS, ended_sentence, explain_error
from egac.outbox import Irrelevant, Unsendable
from egac.staff import Changed


class ReasonFilter(admin.SimpleListFilter):
    """Why a row ended unsent."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(reason), words) for reason, words in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


class ErrorFilter(admin.SimpleListFilter):
    """Whether the last try left an error."""

    title = "last error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "with an error"), ("no", "without an error")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(last_error__isnull=self.value() == "no")


@dataclass(frozen=True)
class Mail:
    """An e-mail to look at: which one it is, or why there is none."""

    which: str
    message: dict[str, Any] | None = None


class OutgoingAdmin(PreviewingAdmin, PageAdmin):
    """Outgoing rows: a list by state, and for each row a read-only record."""

    page_template = "admin/outgoing_record.html"
    tones: dict[str, str] = {}
    correction: str  # how what cannot be sent as it is, is mended
    list_filter = ("status", ReasonFilter, ErrorFilter, CauseFilter)
    ordering = ("-created_at", "pk")

    @property
    def failures_url(self) -> str:
        """The page of failures by cause, to which the list leads."""
        return reverse("admin:egac_failure_changelist")

    def get_urls(self) -> list[URLPattern]:
        email = path(
            "<str:object_id>/email/",
            self.admin_site.admin_view(self.email),
            name=self.url_name("email"),
        )
        return [email, *super().get_urls()]

    # The columns

    @admin.display(description="status", ordering="status")
    def state(self, row: Any) -> SafeString:
        return badge(row.get_status_display(), self.tones[row.status])

    @admin.display(description="attempts", ordering="attempts")
    def attempts_made(self, row: Any) -> str:
        return f"{row.attempts} of {row.attempt_limit()}"

    @admin.display(description="last error")
    def error_sentence(self, row: Any) -> str:
        return self.explained_error(row) or "–"

    @admin.display(description="created", ordering="created_at")
    def created(self, row: Any) -> SafeString | str:
        return moment(row.created_at)

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, row: Any) -> SafeString | str:
        return moment(row.sent_at)

    def explained_error(self, row: Any) -> str:
        """Return the last error of a row as one sentence, or ""."""
        return explain_error(row.last_error, gave_up=self.gave_up(row), reason=row.reason)

    def gave_up(self, row: Any) -> bool:
        """Return whether nothing tries the row again by itself."""
        return not row.waits and row.status != row.Status.PROCESSING

    def send_now(self, request: HttpRequest, changed: Changed) -> tuple[int, str]:
        """See to it that rows made due go; return a message's level and what came of it."""
        raise NotImplementedError

    # The record

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        self.explained([row], now_of(request))
        return {
            **super().page_context(request, row),
            "error_sentence": self.explained_error(row),
            "mail": self.mail_of(row),
            "email_url": self.url_of("email", quote(row.pk)),
        }

    def state_in_words(self, row: Any) -> str:
        return row.wait.sentence if row.wait else ended_sentence(row)

    def standings(self, rows: list[Any], now: datetime) -> dict[Any, str]:
        """Return of rows by key why each still waits, or what ended it unsent, in a sentence."""
        return {
            row.pk: self.state_in_words(row) if row.wait else self.explained_error(row)
            for row in self.explained(rows, now)
        }

    def is_dry_run(self) -> bool:
        return False

    def timeline(self, row: Any) -> list[Event]:
        return sorted([*super().timeline(row), *attempts_of(row)], key=lambda event: event.at)

    def milestones(self, row: Any) -> Iterator[Event]:
        yield Event(row.created_at, "Created", "off")
        for event in events_of(row._meta.db_table, row.pk)[:MOST_EVENTS]:
            what = f"{event.provider} told: {event.get_kind_display()}"
            yield Event(event.occurred_at, what, tone_of(event), event.detail)

    # The e-mail

    def mail_of(self, row: Any) -> Mail:
        """Return the e-mail as it was sent, or as it would be, and which of these it is."""
        if row.rendered:
            which = (
                "This is the e-mail as it was sent."
                if row.sent_at
                else "This is the e-mail as it was first tried; every further try carries the same."
            )
            return Mail(which, self.masked(row, json.loads(row.rendered)))
        if self.is_dry_run() and row.preview:
            which = "This is what the dry run would have sent. Nothing was sent."
            return Mail(which, self.masked(row, json.loads(row.preview)))
        try:
            message = row.render()
        except (Unsendable, Irrelevant) as error:
            return Mail(f"There is no e-mail to show. {error}")
        no_copy = "No copy of the sent e-mail was kept. " if row.sent_at else ""
        return Mail(
            f"{no_copy}This is the e-mail as it would be sent now.", self.masked(row, message)
        )

    def email(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the e-mail's own page, for a sandboxed frame, under a policy of its own."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        require_sight(request)
        mail = self.mail_of(row) if row is not None else Mail("")
        if mail.message is None:
            raise Http404
        return email_page(mail.message)


# Kinds of delivery events.
BAD_NEWS = {"failed", "suppressed", "bounced", "complained"}

TONES_OF_OUTCOMES: dict[str, str] = {
    MessageAudit.Outcome.ACCEPTED: "good",
    MessageAudit.Outcome.REFUSED: "bad",
    MessageAudit.Outcome.UNKNOWN: "moving",
    MessageAudit.Outcome.DIED: "bad",
}


def tone_of(event: DeliveryEvent) -> str:
    """Return how a timeline shows what a provider told."""
    return "bad" if event.kind in BAD_NEWS else "good"


def attempts_of(row: Any) -> Iterator[Event]:
    """Yield every attempt to send an outgoing row, the latest MOST_EVENTS."""
    lines = MessageAudit.objects.filter(source=row._meta.db_table, source_id=str(row.pk))
    for line in lines.order_by("-at")[:MOST_EVENTS]:
        yield attempt_of(line)


def attempt_of(line: MessageAudit) -> Event:
    """Return one attempt as a line of a timeline."""
    return Event(line.at, _what(line), TONES_OF_OUTCOMES[line.outcome], _details(line))


def _what(line: MessageAudit) -> str:
    uncounted = "" if line.counted else " (did not count)"
    again = f", round {line.generation}" if line.generation > 1 else ""
    outcome = MessageAudit.Outcome(line.outcome).label
    return f"Attempt {line.attempt}{again}{uncounted}: {outcome}"


def _details(line: MessageAudit) -> str:
    """Return the provider's code and words, its id of the message, and how long the call took."""
    code = "" if line.error_code in line.error_message else line.error_code
    after = f"after {took(line.duration_ms)}" if line.duration_ms is not None else ""
    parts = (code, line.error_message, line.provider_message_id, after, line.note)
    return " · ".join(part for part in parts if part)
