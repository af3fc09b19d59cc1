"""Outgoing rows: rows that must leave the system. Their life is written once, here.

    pending ── claim (lease) ──► processing ── record ──► done, pending again, or failed

An app's table inherits `Outgoing`, says what its word for done is, and renders its message; the
drain (drain.py) does the rest. Every instant that guards a row is the database's.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Self

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

from egac.claim import Claim
from egac.failed_rows import FailedRows
from egac.instants import InstantField
from egac.retry import Reason
from egac.slots import Slots

# Asked in the statement that begins a call, so that nothing lies between the two.
MAY_BE_WRITTEN_TO = (
    "NOT EXISTS (SELECT FROM suppressions WHERE lower(address) IN "
    "(SELECT lower(recipient) FROM unnest(new.recipients) AS recipient))"
)
# What a new generation keeps of the one before it: nothing of these.
NEW_GENERATION: dict[str, Any] = {
    "attempts": 0,
    "due_at": None,
    "last_error": None,
    "reason": None,
    "failed_at": None,
    "canary": None,
    "rendered": None,
    "in_doubt_since": None,
    "repeats": 0,
    "orphaned": False,
}


class Unsendable(Exception):
    """A row that can never be sent; the message says in a sentence what is missing."""


class Irrelevant(Exception):
    """A row that lost its point; `reason` is one of the reasons of cancelled."""

    def __init__(self, message: str, *, reason: Reason = Reason.IRRELEVANT) -> None:
        super().__init__(message)
        self.reason = reason


class OutgoingQuerySet(FailedRows):
    """Questions about outgoing rows, and their claims."""

    def open_to_claims(self) -> Self:
        """Rows that wait to be sent; a class may widen what that means."""
        return self.filter(status=self.model.Status.PENDING)

    def due(self) -> Self:
        """Rows that a claim would take now: they wait, their time has come, attempts are left."""
        return self.open_to_claims().filter(
            Q(due_at=None) | Q(due_at__lte=Now()),
            Q(attempts__lt=self.model.attempt_limit()) | Q(in_doubt_since__isnull=False),
        )

    def in_order(self) -> Self:
        """The order of claims: what has waited longest first."""
        return self.order_by(F("due_at").asc(nulls_first=True), "created_at", "pk")

    def orphans(self, lease: timedelta) -> Self:
        """Rows whose sender is gone, and rows that another program left in processing."""
        return self.filter(
            Q(lease_ends_at__lt=Now()) | Q(lease_ends_at=None, updated_at__lt=Now() - lease),
            status=self.model.Status.PROCESSING,
        )

    def claim(self, count: int, *, owner: str, lease: timedelta) -> list[Any]:
        """Take up to `count` due rows for `owner`, in one statement, and return them in order.

        A row whose sender died under it is taken alone, so that a row which kills its process
        takes no other with it.
        """
        return self._calm.take(count, owner=owner, lease=lease) or self._any.take(
            1, owner=owner, lease=lease
        )

    def claim_with_slot(
        self, count: int, *, owner: str, lease: timedelta, channel: str
    ) -> tuple[list[Any], Slots | None]:
        """Take rows as `claim` does, and with them leave to call, where the channel is open."""
        told: dict[str, Any] = {"owner": owner, "lease": lease}
        rows, slots = self._calm.take_with_slot(count, **told, channel=channel)
        return (rows, slots) if rows else (self._any.take(1, **told), None)

    @cached_property
    def _calm(self) -> Claim:
        return Claim(self.due().filter(orphaned=False))

    @cached_property
    def _any(self) -> Claim:
        return Claim(self.due())

    def start(self, rows: Sequence[Any]) -> set[Any]:
        """Store each rendered message and that its call begins.

        Returns the keys of the rows that are still ours and none of whose recipients is suppressed.
        """
        return self.update_each(
            [rendered_of(row) for row in rows],
            "rendered = new.rendered, call_started_at = clock_timestamp(), updated_at = now()",
            only=f"outgoing.status = '{self.model.Status.PROCESSING}' AND {MAY_BE_WRITTEN_TO}",
        )

    def give_up(self) -> int:
        """End what waits without an attempt left: adopted so, or the limit was lowered since."""
        waiting = self.filter(status=self.model.Status.PENDING, in_doubt_since=None)
        return waiting.filter(attempts__gte=self.model.attempt_limit()).update(
            status=self.model.Status.FAILED,
            reason=Reason.EXHAUSTED,
            failed_at=Now(),
            updated_at=Now(),
        )

    def requeue(self, *, due_at: datetime | None = None) -> int:
        """Send once more what has ended unsent: a new generation, with all its attempts."""
        status = self.model.Status
        return self._begin_generation([status.FAILED, status.CANCELLED], due_at=due_at)

    def send_again(self) -> int:
        """Send once more what was sent: a new generation, under a new key."""
        return self._begin_generation([self.model.DONE])

    def _begin_generation(self, ended: list[str], *, due_at: datetime | None = None) -> int:
        return self.filter(status__in=ended).update(
            status=self.model.Status.PENDING,
            generation=F("generation") + 1,
            updated_at=Now(),
            **{**NEW_GENERATION, "due_at": due_at},
        )

    def make_due(self) -> int:
        """Bring the next try of waiting rows forward to now; their attempts stay counted."""
        waiting = self.filter(status=self.model.Status.PENDING)
        return waiting.update(due_at=None, updated_at=Now())

    def cancel(self) -> int:
        """Take back, on the word of staff, what waits or has failed."""
        status = self.model.Status
        return self.filter(status__in=[status.PENDING, status.FAILED]).update(
            status=status.CANCELLED, reason=Reason.BY_STAFF, canary=None, updated_at=Now()
        )

    def extend(self, *, owner: str, lease: timedelta) -> set[Any]:
        """Prolong the leases of `owner`, the ended ones that nobody took too; return their keys."""
        table = self.model._meta.db_table
        statement = (
            f"UPDATE {table} SET lease_ends_at = now() + %s, updated_at = now() "
            "WHERE status = %s AND lease_owner = %s RETURNING id"
        )
        with connection.cursor() as cursor:
            told: Any = [lease, self.model.Status.PROCESSING, owner]
            cursor.execute(statement, told)
            return {key for (key,) in cursor.fetchall()}


class Outgoing(models.Model):
    """A row that must leave the system. Attribute names are the same in every such table."""

    DONE: ClassVar[str]  # the word for sent: `sent`, `completed`
    PREFETCH: ClassVar[tuple[str, ...]] = ()  # what render() reads of other tables
    CAUSE: ClassVar[Any] = None  # a Fingerprint, where staff look at its failures by cause
    Status: ClassVar[Any]
    status: Any  # a column of each table, with its own words

    leased_until = 0.0  # of time.monotonic: the sender's own idea of when its lease ends
    slot_until = 0.0  # likewise: when its call must have begun
    claimed_at: datetime | None = None  # on the database's clock, as the claim returned it
    audit_note = ""  # what the audit says of its calls beside their outcome
    wait: Any = None  # why it has not gone, as a page asked (why_waiting.py)
    retry: Any = None  # the CanaryRetry it waits under, likewise

    attempts = models.IntegerField(db_default=0)
    due_at = InstantField(null=True, blank=True)  # null: now
    created_at = InstantField(db_default=Now())
    updated_at = InstantField(db_default=Now())
    sent_at = InstantField(null=True, blank=True)

    generation = models.IntegerField(
        db_default=1
    )  # staff's *retry* and *send again* begin a new one
    reason = models.TextField(null=True, blank=True)  # why it ended failed or cancelled
    rendered = models.TextField(null=True, blank=True)  # the bytes of this generation
    preview = models.TextField(null=True, blank=True)  # what a dry run would have sent
    provider_message_id = models.TextField(null=True, blank=True)

    call_started_at = InstantField(null=True, blank=True)
    in_doubt_since = InstantField(null=True, blank=True)  # perhaps accepted
    repeats = models.IntegerField(db_default=0)  # calls since then, of the same attempt
    orphaned = models.BooleanField(db_default=False)  # a sender died under it

    failed_at = InstantField(null=True, blank=True)  # null too where another program ended it
    canary = models.BigIntegerField(null=True, blank=True)  # the CanaryRetry it waits under

    lease_owner = models.TextField(null=True, blank=True)
    lease_number = models.BigIntegerField(db_default=0)
    lease_ends_at = InstantField(null=True, blank=True)

    class Meta:
        abstract = True

    @classmethod
    def attempt_limit(cls) -> int:
        """How many attempts a generation has."""
        raise NotImplementedError

    @property
    def recipient(self) -> str:
        """The address or number, for the audit and the suppression list."""
        raise NotImplementedError

    @property
    def recipients(self) -> list[str]:
        """All to whom its call sends."""
        return [self.recipient]

    @property
    def waits(self) -> bool:
        """Whether it is one of `open_to_claims`."""
        return bool(self.status == self.Status.PENDING)

    @property
    def is_used_up(self) -> bool:
        """Whether no attempt is left; a call in doubt is repeated as the same attempt."""
        return self.attempts >= self.attempt_limit() and self.in_doubt_since is None

    @property
    def tag(self) -> str:
        """What its message carries, so that a delivery event finds the row and the generation."""
        return f"{self._meta.db_table}-{self.pk}_{self.generation}"

    def error_value(self, error: Exception | None) -> Any:
        """Return the error as the table's own column keeps it, or None."""
        raise NotImplementedError

    @classmethod
    def told_with_a_claim(cls) -> dict[str, str]:
        """Return what a claim also sets on each row: attributes, and their SQL of `outgoing`."""
        return {}

    @classmethod
    def look_up(cls, rows: Sequence[Any]) -> None:
        """Note on each row what many are asked about at once, before `check_relevance`."""

    def check_relevance(self) -> None:
        """Raise Irrelevant where the message lost its point since it was asked for."""

    def render(self) -> dict[str, Any]:
        """Return the message as the provider takes it; raise Unsendable or Irrelevant."""
        raise NotImplementedError

    def message(self) -> Any:
        """Return the message of this generation: as it was first sent, or rendered now."""
        return json.loads(self.rendered) if self.rendered else self.render()

    @property
    def idempotency_key(self) -> str:
        """The key of this generation: the same after a restore, and never another row's."""
        born = int(self.created_at.timestamp() * 1_000_000)
        return f"{self._meta.db_table}/{self.pk}/{self.generation}-{born}"


def rendered_of(row: Any) -> dict[str, Any]:
    """Return what is stored of a row before its call."""
    return {
        "id": row.pk,
        "lease_number": row.lease_number,
        "rendered": row.rendered,
        "recipients": row.recipients,
    }


def text_of(message: Any) -> str:
    """Return the message as stored text: key order and so the bytes sent stay the same."""
    return json.dumps(message, ensure_ascii=False)
