"""Lists and pages that say of every open row why it has not gone, asked once a page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.canary import CanaryRetry
from egac.channels import Channel
from egac.console.instant import now_of
from egac.console.records import ListAdmin, moment
from egac.delivery import suppressed_among
from egac.providers import Sender
from egac.switches import why_held
from egac.why_waiting import Kind, Wait, Way, rows_that_wait, why_waiting

WITH_A_TIME = (Kind.LATER, Kind.CLOSED)


class WaitingAdmin(ListAdmin):
    """Outgoing rows in a list: each open one carries its `wait`."""

    senders: ClassVar[dict[str, Sender]]  # by channel

    def sender_of(self, row: Any) -> Sender:
        """Return what would send the row."""
        return self.senders["email"]

    def who_sends(self, now: datetime) -> tuple[str, str]:
        """Return who takes what is due, in words, and in a clause why nobody does, or ""."""
        raise NotImplementedError

    def why_unsent(self, rows: Sequence[Any], now: datetime) -> dict[Any, str]:
        """Return by key why a send would end a row without a call; no address stands in it."""
        suppressed = suppressed_among({row.recipient for row in rows})
        return {
            row.pk: f"its address must not be written to ({why})"
            for row in rows
            if (why := suppressed.get(row.recipient.lower()))
        }

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = self.explained(list(changelist.result_list), now_of(request))
        return changelist

    def explained(self, rows: list[Any], now: datetime) -> list[Any]:
        """Give each row its `wait`: why it has not gone, or None where it has ended."""
        for row in rows:
            row.wait = None
        give_retries(rows)
        if waiting := rows_that_wait(rows):
            ways, unsent = self.ways(now), self.why_unsent(waiting, now)
            for row in waiting:
                way = ways[self.sender_of(row).channel]
                row.wait = why_waiting(row, way, now=now, ends_unsent=unsent.get(row.pk, ""))
        return rows

    def ways(self, now: datetime) -> dict[str, Way]:
        """Return how each channel of these rows stands."""
        channels = Channel.objects.in_bulk(list(self.senders))
        sender, no_sender = self.who_sends(now)
        return {
            name: Way(
                name,
                lease=timedelta(seconds=settings.WORKER_LEASE_SECONDS),
                key_protects=via.key_protects,
                held=why_held(name),
                channel=channels.get(name),
                sender=sender,
                no_sender=no_sender,
            )
            for name, via in self.senders.items()
        }

    @admin.display(description="next try", ordering="due_at")
    def next_try(self, row: Any) -> SafeString | str:
        if row.wait is None:
            return "–"
        brief = self.brief(row.wait)
        return format_html('{}<span class="ops-second">{}</span>', brief, row.wait.sentence)

    def brief(self, wait: Wait | None) -> SafeString | str:
        """Return in a word or as a time when an open row goes."""
        if wait is None:
            return "–"
        return moment(wait.when) if wait.kind in WITH_A_TIME else str(wait.kind)


def give_retries(rows: Sequence[Any]) -> None:
    """Give each row the retry under whose canary it waits; asks only where there is one."""
    under = [row for row in rows if row.canary is not None]
    retries = CanaryRetry.objects.in_bulk({row.canary for row in under}) if under else {}
    for row in under:
        row.retry = retries.get(row.canary)
