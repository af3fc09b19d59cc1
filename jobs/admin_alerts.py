"""Alerts in the admin: what is wrong now, what was, and who was told."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.console.pages import RowPageAdmin
from egac.console.records import badge, moment
from egac.console.search import SearchedAdmin
from egac.explain import day_and_clock
from egac.search import with_words
from jobs.fixes import buttons_for
from jobs.models import WORDS_OF_AN_ALERT, Alert
from jobs.sinks import SINKS, Sink


class OpenFilter(admin.SimpleListFilter):
    """Whether it still lasts."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "open"), ("closed", "closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        if self.value() not in ("open", "closed"):
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


class AlertAdmin(SearchedAdmin, RowPageAdmin):
    """Alerts, the open ones first. Nobody closes one by hand: it closes when its cause is gone."""

    page_template = "admin/jobs/alert.html"
    list_display = ("what", "state", "what_to_do", "opened", "seen", "closed", "times")
    list_display_links = ("what",)
    list_filter = (OpenFilter,)
    search_help_text = "The beginnings of words of what is wrong."
    empty_sentence = (
        "Nothing is wrong, and nothing was. What goes wrong shows here, with what to do."
    )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        # PostgreSQL puts what is not closed last.
        return [F("closed_at").desc(nulls_first=True), "-opened_at"]

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return with_words(term, WORDS_OF_AN_ALERT)

    @admin.display(description="what is wrong")
    def what(self, alert: Alert) -> str:
        return alert.sentence

    @admin.display(description="state")
    def state(self, alert: Alert) -> SafeString:
        return badge("open", "bad") if alert.closed_at is None else badge("over", "good")

    @admin.display(description="what to do")
    def what_to_do(self, alert: Alert) -> str:
        return alert.next_step if alert.closed_at is None else "Nothing: it closed by itself."

    @admin.display(description="since", ordering="opened_at")
    def opened(self, alert: Alert) -> SafeString | str:
        return moment(alert.opened_at)

    @admin.display(description="last seen", ordering="last_seen_at")
    def seen(self, alert: Alert) -> SafeString | str:
        return moment(alert.last_seen_at)

    @admin.display(description="closed", ordering="closed_at")
    def closed(self, alert: Alert) -> SafeString | str:
        return moment(alert.closed_at)

    @admin.display(description="looks that found it", ordering="count")
    def times(self, alert: Alert) -> int:
        return alert.count

    # The record

    def gone_sentence(self) -> str:
        return "There is no such alert. It may be too old to be kept."

    def page_context(self, request: HttpRequest, row: Alert) -> dict[str, Any]:
        """Show an alert: what is wrong, what to do, and who was told."""
        return {
            **super().page_context(request, row),
            "title": "Alert",
            "alert": row,
            "state": self.state(row),
            "next_step": self.what_to_do(row),
            "buttons": buttons_for(row.cause, row.page, request.user.has_perm),
            "facts": self.facts(row),
            "told": who_was_told(row),
        }

    def facts(self, alert: Alert) -> list[tuple[str, Any]]:
        """Return what the record says of an alert, name by name."""
        return [
            ("Since", day_and_clock(alert.opened_at)),
            ("Last seen", day_and_clock(alert.last_seen_at)),
            ("Closed", day_and_clock(alert.closed_at) if alert.closed_at else "–"),
            ("Looks that found it", alert.count),
            ("Cause", alert.cause),
        ]


def who_was_told(alert: Alert) -> list[tuple[str, SafeString | str]]:
    """Return each sink with what it knows, why it knows nothing, or that it is not set up."""
    return [(name, _told(alert.told.get(name), sink)) for name, sink in SINKS.items()]


def _told(told: dict[str, str] | None, sink: Sink) -> SafeString | str:
    if told is None:
        return "not told yet" if sink.is_configured() else "not configured"
    if "error" in told:
        return f"could not be told: {told['error']}"
    at = parse_datetime(told.get("closed_at") or told["said_at"])
    return format_html("told {}{}", "of its end " if "closed_at" in told else "", moment(at))
