"""Retry all with one cause: one row goes now, the canary; the others wait under it.

The others stay `failed` as they were, marked, so taking them back is taking the mark away. When the
canary has arrived, and RELEASED_AFTER has passed since the press, they are requeued as *Retry now*
does it; when it ends in any other way, or not within GIVEN_UP_AFTER, they are failed as before.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from egac.canary_news import ARRIVED, NOT_RELEASED, NOT_SENT, news_of
from egac.causes import FAILED_AT, NEWEST_FIRST, Cause, tables_with_causes
from egac.explain import clock, day_and_clock

logger = logging.getLogger(__name__)

RELEASED_AFTER = timedelta(seconds=60)
MOST_RETRIED = 10_000  # rows at one press
GIVEN_UP_AFTER = timedelta(hours=1)  # longer than from one run of invites to the next
CHANGED = "Nothing was retried: somebody retried them, or they changed meanwhile. Look again."
WAITS_ALREADY = "Nothing was retried: a retry of this cause waits for its test already."


class Refused(Exception):
    """A retry that cannot be begun or taken back; the message says why and what to do."""


class CanaryRetry(models.Model):
    """One press of *Retry all with this cause*."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits for its test"
        RELEASED = "released", "released"
        RETURNED = "returned", "failed as before"
        TAKEN_BACK = "taken_back", "taken back"

    source = models.TextField()  # the table of its rows
    cause = models.TextField()
    meaning = models.TextField()  # the cause in words, for when no row has it any longer
    canary_key = models.TextField()
    canary_generation = models.IntegerField()
    held = models.IntegerField()  # how many rows were put under the canary
    started_at = models.DateTimeField(db_default=Now())
    started_by = models.TextField()
    why = models.TextField()
    state = models.TextField(choices=State, db_default=State.WAITING)
    arrived_at = models.DateTimeField(null=True)  # when the canary was seen to have arrived
    ended_at = models.DateTimeField(null=True)
    ended_by = models.TextField(db_default="")  # who took it back
    because = models.TextField(db_default="")  # why the others were returned
    changed = models.IntegerField(null=True)  # how many rows were still there to be released

    class Meta:
        db_table = "canary_retries"
        default_permissions = ()  # the tables of the rows say who may look and who may retry
        verbose_name = "retry of a cause"
        verbose_name_plural = "retries of causes"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "cause"],
                condition=Q(state="waiting"),
                name="one_waiting_retry_per_table_and_cause",
            )
        ]
        indexes = [models.Index(fields=["-started_at"], name="retries_by_time")]

    def __str__(self) -> str:
        return f"Retry of {self.held + 1:,} with one cause"

    @property
    def is_waiting(self) -> bool:
        return bool(self.state == self.State.WAITING)

    @property
    def released_from(self) -> datetime:
        """When the others go at the earliest."""
        at: datetime = self.started_at + RELEASED_AFTER
        return at

    @property
    def model(self) -> Any:
        """The table of its rows."""
        return tables_with_causes()[self.source]

    @property
    def rows(self) -> Any:
        """The rows that wait under its canary."""
        return self.model._default_manager.filter(canary=self.pk, status=self.model.Status.FAILED)

    @property
    def canary(self) -> Any:
        """The row that goes first, or None where it is gone."""
        return self.model._default_manager.filter(pk=self.canary_key).first()

    def sentence(self, now: datetime) -> str:
        """Return how it stands."""
        if self.is_waiting:
            return self._waits(now)
        state, rest = self.State, self.held if self.changed is None else self.changed
        ended = day_and_clock(self.ended_at) if self.ended_at else ""
        if self.state == state.RELEASED:
            return f"The test arrived, and {rest:,} more {_were(rest)} released on {ended}."
        stay = f"{rest:,} {'stays' if rest == 1 else 'stay'} failed as before"
        if self.state == state.RETURNED:
            return f"{self.because} So {stay}, since {ended}."
        return f"Taken back by {self.ended_by} on {ended}: {stay}."

    def _waits(self, now: datetime) -> str:
        others = f"{self.held:,} {'waits' if self.held == 1 else 'wait'} for it"
        sent = f"1 went as a test at {clock(self.started_at, now)}"
        if self.started_at + GIVEN_UP_AFTER <= now:
            return f"{sent} and did not help within an hour: the next run leaves {others} failed."
        if self.arrived_at is None:
            until = clock(self.released_from, now)
            return f"{sent}; {others} until {until} at least."
        if self.released_from > now:
            return f"{sent} and arrived; {others} until {clock(self.released_from, now)}."
        return f"{sent} and arrived; {others}, and the next run sends them."


@dataclass(frozen=True)
class First:
    """The row that goes first, until when rows had failed and how many, as a page showed them."""

    key: Any
    until: datetime
    count: int


def retry_cause(
    cause: Cause, *, first: First, by: str, why: str, meaning: str
) -> tuple[list[Any], CanaryRetry | None]:
    """Requeue the first failed row with this cause, put the others under it.

    Takes rows that had failed by then, the newest and no more than were shown. Returns the keys of
    all, and the retry, None where no other row was left. Raises Refused where a retry of the cause
    waits already, or the first row is not what it was.
    """
    model = cause.model
    try:
        with transaction.atomic():
            keys = _locked(model, cause.name, first)
            rows = model._default_manager.filter(pk__in=keys)
            canary = rows.filter(pk=first.key).only("generation").first()
            if canary is None:
                raise Refused(CHANGED)
            retry = _begun(cause, canary, len(keys) - 1, by=by, why=why, meaning=meaning)
            if retry:
                others = rows.exclude(pk=canary.pk)
                others.update(canary=retry.pk, failed_at=FAILED_AT, updated_at=Now())
            rows.filter(pk=canary.pk).hurry()
            rows.filter(pk=canary.pk).requeue()
    except IntegrityError:
        raise Refused(WAITS_ALREADY) from None
    return keys, retry


def _begun(cause: Cause, canary: Any, held: int, **told: str) -> CanaryRetry | None:
    """Return the retry under whose canary so many others wait; one row alone just goes."""
    source = cause.model._meta.db_table
    of_it = CanaryRetry.objects.filter(source=source, cause=cause.name)
    if not held:
        if of_it.filter(state=CanaryRetry.State.WAITING).exists():
            raise Refused(WAITS_ALREADY)
        return None
    retry = CanaryRetry.objects.create(
        source=source,
        cause=cause.name,
        canary_key=str(canary.pk),
        canary_generation=canary.generation + 1,
        held=held,
        started_by=told["by"],
        why=told["why"],
        meaning=told["meaning"],
    )
    retry.refresh_from_db()
    return retry


def _locked(model: Any, name: str, first: First) -> list[Any]:
    """Lock the rows that a retry takes, in the order of every staff action; return their keys."""
    rows = model._default_manager.retriable().alias(failed_by=FAILED_AT)
    newest = rows.with_cause(name).filter(failed_by__lte=first.until).order_by(NEWEST_FIRST, "pk")
    # Asked of the rows once more: one may have changed between its choice and its lock.
    newest = newest.values("pk")[: min(first.count, MOST_RETRIED)]
    chosen = model._default_manager.retriable().filter(pk__in=newest)
    return list(chosen.order_by("pk").select_for_update().values_list("pk", flat=True))


def take_back(key: int, *, source: str, by: str, now: datetime) -> tuple[list[Any], CanaryRetry]:
    """Leave the rows of this table that wait under a canary failed; the canary itself goes on.

    Returns their keys and the retry. Raises Refused where it waits no longer.
    """
    with transaction.atomic():
        of_table = CanaryRetry.objects.filter(source=source)
        retry = of_table.select_for_update().filter(pk=key).first()
        if retry is None or not retry.is_waiting:
            told = retry.sentence(now) if retry else "There is no such retry."
            raise Refused(f"Nothing was taken back. {told}")
        keys = _in_order(retry.rows)
        _end(retry, CanaryRetry.State.TAKEN_BACK, changed=len(keys), ended_by=by)
    return keys, retry


def settle_canaries(model: Any) -> int:
    """Release or return the rows of a table whose canary has ended; return how many retries.

    Belongs at the beginning of a pass, held or not. Of workers that settle side by side, one does.
    """
    if model.CAUSE is None:
        return 0
    waiting = CanaryRetry.objects.filter(source=model._meta.db_table, state="waiting")
    settled = 0
    for key in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            ours = waiting.select_for_update(skip_locked=True).annotate(
                may_go=Q(started_at__lte=Now() - RELEASED_AFTER),
                is_over=Q(started_at__lte=Now() - GIVEN_UP_AFTER),
            )
            if retry := ours.filter(pk=key).first():
                settled += _settle(retry)
    return settled


def _settle(retry: Any) -> bool:
    """Do what its canary's state asks for now; return whether the retry ended."""
    told = {"generation": retry.canary_generation, "since": retry.started_at}
    news = ARRIVED if retry.arrived_at else news_of(retry.canary, **told)
    if news.is_bad:
        return _return(retry, news.sentence)
    if news.is_good and retry.arrived_at is None:
        CanaryRetry.objects.filter(pk=retry.pk).update(arrived_at=Now())
    if retry.is_over:
        return _return(retry, NOT_RELEASED if news.is_good else NOT_SENT)
    if not (news.is_good and retry.may_go):
        return False
    keys = _in_order(retry.rows)
    changed = retry.rows.filter(pk__in=keys).requeue(due_at=retry.released_from)
    return _end(retry, CanaryRetry.State.RELEASED, changed=changed)


def _return(retry: CanaryRetry, because: str) -> bool:
    """Take the mark from the others: they are failed as they were."""
    keys = _in_order(retry.rows)
    return _end(retry, CanaryRetry.State.RETURNED, changed=len(keys), because=because)


def _end(retry: CanaryRetry, state: CanaryRetry.State, *, changed: int, **told: str) -> bool:
    """Write how a retry ended; whatever still bears its mark bears it no longer."""
    marked = retry.model._default_manager.filter(canary=retry.pk)
    marked.update(canary=None, updated_at=Now())
    ended = CanaryRetry.objects.filter(pk=retry.pk)
    ended.update(state=state, changed=changed, ended_at=Now(), **told)
    retry.refresh_from_db()
    logger.info("retry %s of a cause: %s", retry.pk, state.label, extra={"rows": changed})
    return True


def _in_order(rows: Any) -> list[Any]:
    """Lock rows in the order of every staff action, so that neither waits for the other."""
    return list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
