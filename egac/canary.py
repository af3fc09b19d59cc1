"""Retry all with one cause: one row goes now, the canary; the others wait under it.

The others stay `failed` as they were, marked, so taking them back is taking the mark away. When the
canary has arrived, and RELEASED_AFTER has passed since the press, they are requeued as *Retry now*
does it; when it ends in any other way they are failed again, with their old reason and error.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from egac.causes import MOST_COUNTED, Cause, tables_with_causes
from egac.delivery import suppressed_among
from egac.explain import canary_sentence, day_and_clock

logger = logging.getLogger(__name__)

RELEASED_AFTER = timedelta(seconds=60)
MOST_CANDIDATES = 25  # how many rows are looked at for one that may be written to


class Refused(Exception):
    """A retry that cannot be begun or taken back; the message says why and what to do."""


class CanaryRetry(models.Model):
    """One press of *Retry all with this cause*."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits for its canary"
        RELEASED = "released", "the others were released"
        RETURNED = "returned", "the others failed again"
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
    changed = models.IntegerField(null=True)  # how many rows were still there to be released

    class Meta:
        db_table = "canary_retries"
        default_permissions = ()  # the tables of the rows say who may look and who may retry
        verbose_name = "retry of a cause"
        verbose_name_plural = "failures by cause"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "cause"],
                condition=Q(state="waiting"),
                name="one_waiting_retry_per_table_and_cause",
            )
        ]

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

    def sentence(self) -> str:
        """Return how it stands."""
        state, rest = self.State, self.held if self.changed is None else self.changed
        stay = f"{rest:,} {'stays' if rest == 1 else 'stay'} failed"
        ended = day_and_clock(self.ended_at) if self.ended_at else ""
        if self.state == state.RELEASED:
            return f"The canary arrived, and {rest:,} more were released on {ended}."
        if self.state == state.RETURNED:
            return f"The canary did not arrive, so {stay}, as they were (on {ended})."
        if self.state == state.TAKEN_BACK:
            return f"Taken back by {self.ended_by} on {ended}: {stay}."
        return canary_sentence(self)


def retry_cause(
    cause: Cause, *, until: datetime, by: str, why: str, meaning: str
) -> tuple[CanaryRetry, tuple[Any, ...]]:
    """Requeue one failed row with this cause, put the others under it; return them and the retry.

    Only rows that last changed by `until`, as a page showed them, and at most MOST_COUNTED. Raises
    Refused where a retry of the cause waits already, or no such row is left.
    """
    model = cause.model
    try:
        with transaction.atomic():
            keys = _locked(model, cause.name, until)
            if not keys:
                raise Refused("Nothing was retried: somebody did so, or they changed meanwhile.")
            canary = _canary_of(model, keys)
            retry = CanaryRetry.objects.create(
                source=model._meta.db_table,
                cause=cause.name,
                meaning=meaning,
                canary_key=str(canary.pk),
                canary_generation=canary.generation + 1,
                held=len(keys) - 1,
                started_by=by,
                why=why,
            )
            rows = model._default_manager.filter(pk__in=keys)
            rows.exclude(pk=canary.pk).update(canary=retry.pk, updated_at=Now())
            rows.filter(pk=canary.pk).requeue()
    except IntegrityError:
        raise Refused("A retry of this cause waits for its canary already: look there.") from None
    retry.refresh_from_db()
    return retry, tuple(keys)


def _locked(model: Any, name: str, until: datetime) -> list[Any]:
    """Lock the rows that a retry takes, in the order of every staff action; return their keys."""
    rows = model._default_manager.retriable().filter(updated_at__lte=until)
    newest = rows.with_cause(name).order_by("-updated_at")[:MOST_COUNTED]
    # Asked of the rows once more: one may have changed between its choice and its lock.
    chosen = rows.filter(pk__in=newest.values("pk")).order_by("pk")
    return list(chosen.select_for_update().values_list("pk", flat=True))


def _canary_of(model: Any, keys: list[Any]) -> Any:
    """Return the newest of the rows, the first whose recipient may be written to."""
    rows = model._default_manager.filter(pk__in=keys).prefetch_related(*model.PREFETCH)
    newest = list(rows.order_by("-updated_at", "pk")[:MOST_CANDIDATES])
    suppressed = suppressed_among({row.recipient for row in newest})
    return next((row for row in newest if row.recipient.lower() not in suppressed), newest[0])


def take_back(key: int, *, by: str) -> CanaryRetry:
    """Leave the rows under a canary failed; the canary itself goes on. Raises Refused."""
    with transaction.atomic():
        retry = CanaryRetry.objects.select_for_update().get(pk=key)
        if not retry.is_waiting:
            raise Refused(f"Nothing was taken back. {retry.sentence()}")
        _leave_failed(retry, CanaryRetry.State.TAKEN_BACK, by=by)
    return retry


def settle_canaries(model: Any) -> int:
    """Release or return the rows of a table whose canary has ended; return how many retries.

    Belongs at the beginning of a pass. Of workers that settle side by side, one does.
    """
    waiting = CanaryRetry.objects.filter(source=model._meta.db_table, state="waiting")
    settled = 0
    for key in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            may_go = Q(started_at__lte=Now() - RELEASED_AFTER)
            ours = waiting.select_for_update(skip_locked=True).annotate(may_go=may_go)
            if retry := ours.filter(pk=key).first():
                settled += _settle(retry)
    return settled


def _settle(retry: Any) -> bool:
    if retry.arrived_at is None:
        arrived = has_arrived(
            retry.canary, generation=retry.canary_generation, since=retry.started_at
        )
        if arrived is None:
            return False
        if not arrived:
            _leave_failed(retry, CanaryRetry.State.RETURNED)
            return True
        CanaryRetry.objects.filter(pk=retry.pk).update(arrived_at=Now())
    if retry.may_go:
        _release(retry)
    return bool(retry.may_go)


def has_arrived(canary: Any, *, generation: int, since: datetime) -> bool | None:
    """Return whether a canary that was requeued as this generation arrived; None: not known yet.

    One that staff requeued or sent again meanwhile is no longer ours, so it tells nothing good.
    """
    if canary is None or canary.generation != generation:
        return False
    status = canary.Status
    if canary.status in (status.PENDING, status.PROCESSING):
        return None
    if canary.status in (status.FAILED, status.CANCELLED):
        return False
    # Another program may have moved it on from there, as an invite that is accepted.
    return canary.status == canary.DONE or (canary.sent_at is not None and canary.sent_at >= since)


def _release(retry: CanaryRetry) -> None:
    """Requeue the others, as *Retry now* does."""
    keys = _in_order(retry.rows)
    changed = retry.rows.filter(pk__in=keys).requeue(due_at=retry.released_from)
    _end(retry, CanaryRetry.State.RELEASED, changed=changed)


def _leave_failed(retry: CanaryRetry, state: CanaryRetry.State, *, by: str = "") -> None:
    """Take the mark from the others: they are failed as they were."""
    _end(retry, state, changed=len(_in_order(retry.rows)), by=by)


def _end(retry: CanaryRetry, state: CanaryRetry.State, *, changed: int, by: str = "") -> None:
    """Write how a retry ended; whatever still bears its mark bears it no longer."""
    marked = retry.model._default_manager.filter(canary=retry.pk)
    marked.update(canary=None, updated_at=Now())
    ended = CanaryRetry.objects.filter(pk=retry.pk)
    ended.update(state=state, changed=changed, ended_by=by, ended_at=Now())
    retry.refresh_from_db()
    logger.info("retry %s of a cause: %s", retry.pk, state.label, extra={"rows": changed})


def _in_order(rows: Any) -> list[Any]:
    """Lock rows in the order of every staff action, so that neither waits for the other."""
    return list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
