"""The three lanes of the queue: e-mail in batches, e-mail one by one, WhatsApp.

Each lane drains by itself, in a thread of its own, so a provider that is down never delays the
other. How fast all lanes together may call is the channel's to say.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection

from egac import channels
from egac.canary import settle_canaries
from egac.drain import AWAY, SETTLE_SECONDS, Drain
from egac.orphans import give_back_lost, settle_orphans
from egac.outbox import OutgoingQuerySet
from egac.providers import Sender, resend, whatsapp
from egac.record import Record
from egac.switches import what_is_missing, why_held
from notifications.batches import dissolve_uncalled, form_batches, settle
from notifications.models import EmailBatch, Notification

logger = logging.getLogger(__name__)

TRIES, AFTER_ERROR_SECONDS = 9, 1.0  # how often, and how far apart, a lost database is tried
BATCHES_AHEAD_SECONDS = 2.0  # how much e-mail is frozen in batches before its slots come


@dataclass
class Bounds:
    """How far a pass may go: rows, a time of time.monotonic, until it is told to stop, and how many
    calls each lane may have open at once."""

    limit: int | None = None
    until: float = float("inf")
    stop: threading.Event = field(default_factory=threading.Event)
    concurrency: int = field(default_factory=lambda: int(settings.WORKER_CONCURRENCY))

    @property
    def are_reached(self) -> bool:
        return self.stop.is_set() or time.monotonic() >= self.until


@dataclass
class Lane:
    """One pass over the due rows of a lane; `on_records` hears of every row that was recorded."""

    bounds: Bounds
    on_records: Callable[[Sequence[Record]], object]
    pool: ThreadPoolExecutor | None = None

    name: ClassVar[str]
    sender: ClassVar[Sender]

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=settings.WORKER_LEASE_SECONDS)

    @property
    def rows(self) -> OutgoingQuerySet:
        """The rows of this lane."""
        raise NotImplementedError

    def why_unconfigured(self) -> str:
        """Return which settings are missing, as a sentence, or ""."""
        raise NotImplementedError

    def is_dry_run(self) -> bool:
        """Whether a setting asks for a dry run of the channel."""
        raise NotImplementedError

    def why_held(self) -> str:
        """Return in a sentence why nothing of this lane goes, whatever is due, or ""."""
        return why_held(self.sender.channel)

    def run(self) -> str:
        """Settle what senders left behind and send what is due.

        Returns in a sentence why the lane is closed, or "".
        """
        settle_canaries(Notification)  # held or not: nobody waits under a canary for ever
        return self.why_held() or self.drain.run()

    def persevere(self) -> str:
        """Run; where the database goes away, go on when it is back with what is in hand.

        The answers of the calls under way are known here alone, so a stop does not end this.
        """
        for _ in range(TRIES):
            try:
                return self.run()
            except AWAY:
                logger.exception("%s: the database went away; it is tried again", self.name)
                connection.close()
                time.sleep(AFTER_ERROR_SECONDS)
        return self.run()

    def send(self) -> str:
        """Send what became due since `run` looked; return why the lane is closed, or ""."""
        return self.why_held() or self.drain.send()

    @cached_property
    def drain(self) -> Drain:
        """What drains this lane, pass after pass."""
        return self.drain_of(self.rows, limit=self.bounds.limit)

    def drain_of(self, rows: OutgoingQuerySet, **options: Any) -> Drain:
        return Drain(
            rows,
            self.sender,
            until=self.bounds.until,
            stop=self.bounds.stop,
            concurrency=self.bounds.concurrency,
            pool=self.pool,
            **{"on_records": self.on_records, **options},
        )


class EmailRows(Lane):
    """E-mails that go alone: repeats, what came back from a batch, and attachments."""

    name = "email"
    sender = resend.EMAIL

    @cached_property
    def rows(self) -> OutgoingQuerySet:
        return Notification.objects.for_email().not_freshly_due()

    def is_dry_run(self) -> bool:
        return bool(settings.RESEND_DRY_RUN)

    def why_unconfigured(self) -> str:
        return what_is_missing(resend.require_configured)


class EmailBatches(EmailRows):
    """E-mails that were never called, a hundred in a call."""

    name = "email batches"
    sender = resend.BATCH

    _settle_at = 0.0  # of time.monotonic

    @cached_property
    def rows(self) -> OutgoingQuerySet:
        return Notification.objects.for_email().freshly_due()

    @cached_property
    def _owner(self) -> str:
        """Who claims e-mails that are not in a batch yet."""
        return f"batches:{uuid.uuid4()}"

    @cached_property
    def drain(self) -> Drain:
        settled: list[Record] = []

        def also(batches: Sequence[Record]) -> None:
            settled[:] = settle(batches)

        def tell(batches: Sequence[Record]) -> None:
            let_go = EmailBatch.Status.CANCELLED
            dissolved = [each.row.pk for each in batches if each.status == let_go]
            self.on_records([each for each in settled if each.row.batch_id not in dissolved])

        return self.drain_of(EmailBatch.objects.all(), on_records=tell, also=also)

    def run(self) -> str:
        self._settle_at = 0.0
        return self._while_open(self.drain.run)

    def send(self) -> str:
        return self._while_open(self.drain.send)

    def _while_open(self, drain: Callable[[], str]) -> str:
        """Form and drain; leave no message in a batch that waits for something else than a slot."""
        why = self.why_held() or self._form_and(drain)
        if why or self.bounds.are_reached:
            dissolve_uncalled()
        return why

    def _form_and(self, drain: Callable[[], str]) -> str:
        """Form batches and drain them, a few at a time."""
        left, why = self.bounds.limit, ""
        if self.drain.lost_the_database:
            self.drain.run()
        while not self.bounds.are_reached:
            if why := self._why_closed():
                break
            self._settle()
            taken = form_batches(
                self.rows,
                owner=self._owner,
                lease=self.lease,
                limit=self._at_once() if left is None else min(left, self._at_once()),
                on_records=self.on_records,
            )
            why = drain()
            left = None if left is None else left - taken
            if not taken or left == 0:
                break
        return why

    def _settle(self) -> None:
        """Settle, as a drain does, the rows whose sender died before they were in a batch.

        What is claimed for this lane between two batches is what an error left.
        """
        if time.monotonic() >= self._settle_at:
            self._settle_at = time.monotonic() + SETTLE_SECONDS
            emails = Notification.objects.for_email()
            give_back_lost(emails, owner=self._owner, held=[])
            settle_orphans(emails, resend.EMAIL, lease=self.lease)

    def _why_closed(self) -> str:
        """Wait for a short hold of the channel; return why it stays closed, or ""."""
        bounds, channel = self.bounds, self.sender.channel
        return channels.wait_until_open(channel, until=bounds.until, stop=bounds.stop)

    def _at_once(self) -> int:
        calls = max(1, int(channels.look(self.sender.channel).rate * BATCHES_AHEAD_SECONDS))
        return resend.LARGEST_BATCH * calls


class WhatsAppRows(Lane):
    """WhatsApp messages, each a call of its own."""

    name = "whatsapp"
    sender = whatsapp.WHATSAPP

    @cached_property
    def rows(self) -> OutgoingQuerySet:
        return Notification.objects.for_whatsapp()

    def is_dry_run(self) -> bool:
        return bool(settings.WHATSAPP_DRY_RUN)

    def why_unconfigured(self) -> str:
        return what_is_missing(whatsapp.require_configured)


LANES: tuple[type[Lane], ...] = (EmailBatches, EmailRows, WhatsAppRows)
