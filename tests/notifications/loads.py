"""Messages of every kind for a worker, how far each kind got, and whether each arrived once.

The provider's own ledger is the judge: what it took, it took.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from egac.channels import Channel
from egac.delivery import MessageAudit
from notifications.models import EmailBatch, Notification
from notifications.passes import run_pass
from tests.notifications.factories import email, whatsapp
from tests.providers.faults import Plan
from tests.providers.ledger import Ledger
from tests.providers.server import ProviderServer

Status = Notification.Status
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
ATTACHMENT = {"filename": "map.txt", "content": "aGVsbG8="}
LONG_AGO = timedelta(hours=1)


class Stage(IntEnum):
    """How far a message has got."""

    WAITING = 0
    CLAIMED = 1
    FROZEN = 2  # in a stored batch
    STARTED = 3
    CALLED = 4
    ACCEPTED = 5
    RECORDED = 6


@dataclass(frozen=True)
class Kind:
    """One way for a message to go: what is queued for it."""

    name: str
    payload: Callable[[int], dict[str, Any]]

    @property
    def is_whatsapp(self) -> bool:
        return self is WHATSAPP

    def queue(self, count: int) -> None:
        Notification.objects.bulk_create(
            Notification(type=self.name, payload=self.payload(number)) for number in range(count)
        )

    @property
    def rows(self) -> QuerySet[Notification]:
        return Notification.objects.filter(type=self.name)

    def stage(self, provider: ProviderServer) -> Stage:
        """Return how far that of its messages got that got furthest."""
        recipients = {row.recipient for row in self.rows}
        reached = {
            Stage.CLAIMED: self.rows.exclude(status=Status.PENDING).exists(),
            Stage.FROZEN: self.rows.filter(batch__isnull=False).exists(),
            Stage.STARTED: self._is_started(),
            Stage.CALLED: bool(recipients & set(called(provider))),
            Stage.ACCEPTED: bool(recipients & accepted(provider).keys()),
            Stage.RECORDED: MessageAudit.objects.filter(source_id__in=self._keys()).exists(),
        }
        return max((stage for stage, is_reached in reached.items() if is_reached), default=Stage(0))

    def _keys(self) -> list[str]:
        return [str(key) for key in self.rows.values_list("pk", flat=True)]

    def _is_started(self) -> bool:
        batches = EmailBatch.objects.filter(notifications__in=self.rows)
        began = Q(call_started_at__isnull=False)
        return self.rows.filter(began).exists() or batches.filter(began).exists()


BATCHED = Kind("batched", lambda number: email(f"batched{number}@families.example"))
SINGLE = Kind(
    "single",
    lambda number: email(f"single{number}@families.example", attachments=[ATTACHMENT]),
)
WHATSAPP = Kind("whatsapp", lambda number: whatsapp(f"+4477009{number:05d}"))
EVERY_KIND = (BATCHED, SINGLE, WHATSAPP)


def accepted(provider: ProviderServer) -> Counter[str]:
    """Return how often each recipient's message was taken."""
    return Counter(
        recipient
        for site in (provider.resend, provider.whatsapp)
        for message in site.accepted
        for recipient in recipients_of(message.payload)
    )


def called(provider: ProviderServer) -> list[str]:
    """Return the recipients of every call that arrived, whatever came of it."""
    ledgers: Sequence[Ledger] = (provider.resend.ledger, provider.whatsapp.ledger)
    bodies = [json.loads(call.body) for ledger in ledgers for call in ledger.calls]
    messages = [each for body in bodies for each in (body if isinstance(body, list) else [body])]
    return [recipient for message in messages for recipient in recipients_of(message)]


def recipients_of(message: dict[str, Any]) -> list[str]:
    to = message["to"]
    return to if isinstance(to, list) else [to]


def let_the_leases_end() -> None:
    """Move every lease to its end, as if its sender had been silent for so long."""
    for model in (Notification, EmailBatch):
        model.objects.filter(lease_ends_at__isnull=False).update(lease_ends_at=Now() - LONG_AGO)


def let_time_pass() -> None:
    """Bring every next try to now, and open what was held."""
    for model in (Notification, EmailBatch):
        model.objects.filter(status=Status.PENDING).update(due_at=Now())
    Channel.objects.update(held_until=F("held_until") - timedelta(days=40))


def close_the_breakers() -> None:
    Channel.objects.update(probing=False, failures=0, held_until=None)


def strike(provider: ProviderServer, plan: Plan) -> None:
    """Let the calls to both providers go wrong in the same way."""
    provider.resend.faults = provider.whatsapp.faults = plan


def recover() -> None:
    """Do what the next pass of cron does, in this process."""
    run_pass(limit=1000, seconds=60)


def all_have_ended() -> bool:
    return not Notification.objects.exclude(status__in=ENDED).exists()


def assert_nothing_is_lost_or_doubled(
    provider: ProviderServer, *, in_doubt: Sequence[Kind] = ()
) -> None:
    """Hold every row against the ledger. Of the kinds in doubt some may wait for a person."""
    taken = accepted(provider)
    for row in Notification.objects.all():
        told = f"{row.type} to {row.recipient}: {row.status} {row.reason} {row.last_error}"
        assert taken[row.recipient] <= 1, told
        if row.status == Status.COMPLETED:
            assert taken[row.recipient] == 1, told
        else:
            assert (row.status, row.reason) == (Status.FAILED, "uncertain"), told
            assert row.type in [kind.name for kind in in_doubt], told
        assert_attempts_are_counted(row)


def assert_attempts_are_counted(row: Notification) -> None:
    """Hold the attempts of a row against its audit."""
    lines = MessageAudit.objects.filter(source_id=str(row.pk), generation=row.generation)
    assert row.attempts == lines.filter(counted=True).count() <= row.attempt_limit()
