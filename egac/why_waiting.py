"""Why an open row has not gone yet, and when it goes. Pure: the rules of the claim, in words.

A row is DUE_NOW if and only if the next claim takes it; tests/end_to_end holds that against the
claim itself. Whatever a page says of an open row comes from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.timezone import localtime

from egac.channels import BECAUSE, BREAKS, NAMES, PATIENCE_SECONDS, Channel
from egac.explain import clock

PATIENCE = timedelta(seconds=PATIENCE_SECONDS)  # a claim waits for a hold that is no longer


class Kind(StrEnum):
    """What an open row waits for."""

    DUE_NOW = "due now"
    LATER = "later"
    HELD = "held"  # by a switch or a missing setting
    PAUSED = "paused"  # its channel, by staff
    CLOSED = "held back"  # its channel, by the breaker or the provider's word
    BEING_SENT = "being sent"
    IN_BATCH = "in a batch"
    LOST = "sender lost"
    USED_UP = "used up"
    UNDER_A_TEST = "waits for a test"


@dataclass(frozen=True)
class Wait:
    """Why a row waits, as a sentence; `when` is when it goes, where that is known."""

    kind: Kind
    sentence: str
    when: datetime | None = None


@dataclass(frozen=True)
class Way:
    """A way out as a page finds it: all beside the row that decides when the row goes.

    `held` and `no_sender` are sentences, "" where nothing holds the channel and somebody sends;
    `sender` is who takes what is due, for example "the worker".
    """

    name: str
    lease: timedelta
    key_protects: timedelta
    held: str = ""
    channel: Channel | None = None
    sender: str = "the next run"
    no_sender: str = ""

    @property
    def in_words(self) -> str:
        return NAMES[self.name]


def why_waiting(row: Any, way: Way, *, now: datetime, ends_unsent: str = "") -> Wait | None:
    """Return why an open row has not gone, or None for a row that has ended.

    `ends_unsent` says why a send would end it without a call, for example a suppressed address.
    """
    if row.status == row.Status.PROCESSING:
        return _in_hand(row, way, now)
    if is_under_a_test(row):
        return _under_a_test(row, now)
    if not row.waits:
        return None
    wait = _waits(row, way, now)
    if not ends_unsent or wait.kind is Kind.USED_UP:
        return wait
    return replace(wait, sentence=f"{wait.sentence} But {ends_unsent}: it will not be sent.")


def _waits(row: Any, way: Way, now: datetime) -> Wait:
    due_at = row.due_at if row.due_at is not None and row.due_at > now else None
    if way.held:
        own_time = f" Its own time is {clock(due_at, now)}." if due_at else ""
        return Wait(Kind.HELD, f"Held. {way.held}{own_time}")
    if row.is_used_up:
        limit = row.attempt_limit()
        return Wait(Kind.USED_UP, f"All {limit} attempts are used: the next run ends it as failed.")
    if closed := _closed(way, now, due_at):
        return closed
    if due_at is None:
        return Wait(Kind.DUE_NOW, _due_now(row, way, now), when=now)
    return Wait(Kind.LATER, _later(row, way, due_at, now), when=due_at)


def _closed(way: Way, now: datetime, due_at: datetime | None) -> Wait | None:
    """Return that the channel keeps the row longer than its own time does, or None."""
    channel = way.channel
    if channel is None:
        return None
    if channel.paused_at:
        own_time = f", and not before {clock(due_at, now)}" if due_at else ""
        return Wait(
            Kind.PAUSED,
            f"Held: {channel.paused_by or 'staff'} paused the {way.in_words} channel "
            f"{at(channel.paused_at, now)}. It goes when somebody resumes the channel{own_time}.",
        )
    until = channel.held_until
    if until is None or until <= now + PATIENCE or (due_at and due_at >= until):
        return None
    because = BECAUSE.get(channel.held_because, "the provider asked us to wait")
    by = " by the breaker" if channel.held_because in BREAKS else ""
    return Wait(
        Kind.CLOSED,
        f"Held{by} until {clock(until, now)}: {because}. It is tried again by itself then.",
        when=until,
    )


def _due_now(row: Any, way: Way, now: datetime) -> str:
    if row.in_doubt_since:
        return _in_doubt(row, way, now, f"by {way.sender}")
    if way.no_sender:
        return f"Due now, {_attempt(row)}, but {way.no_sender}."
    return f"Due now: {way.sender} sends it, {_attempt(row)}."


def _later(row: Any, way: Way, due_at: datetime, now: datetime) -> str:
    if row.in_doubt_since:
        return _in_doubt(row, way, now, at(due_at, now))
    its_time = "" if row.attempts else " for its time"
    return f"Waiting{its_time}: {_attempt(row)} {at(due_at, now)}."


def _in_doubt(row: Any, way: Way, now: datetime, how: str) -> str:
    if now - row.in_doubt_since < way.key_protects:
        return f"Perhaps it arrived: the same call is repeated {how}, which cannot arrive twice."
    return (
        "Perhaps it arrived, and a repeat might arrive twice: the next run ends it as failed, for "
        "a person to decide."
    )


def _attempt(row: Any) -> str:
    return f"attempt {row.attempts + 1} of {row.attempt_limit()}"


def _in_hand(row: Any, way: Way, now: datetime) -> Wait:
    if getattr(row, "is_frozen", False):
        return _in_batch(row, way, now)
    if row.lease_ends_at is None:
        is_lost = row.updated_at < now - way.lease
    else:
        is_lost = row.lease_ends_at < now
    since = row.call_started_at or row.updated_at
    if not is_lost:
        return Wait(Kind.BEING_SENT, f"It is being sent now, since {seconds(since, now)}.", now)
    held = f" {way.held}" if way.held else ""
    return Wait(
        Kind.LOST,
        f"Its sender was last heard of {at(since, now)}. The next run finds out what became of "
        f"it.{held}",
    )


def _in_batch(row: Any, way: Way, now: datetime) -> Wait:
    """Return where a row stands that goes with its batch, as the pages' queryset annotated it."""
    due_at = row.batch_due_at if row.batch_due_at and row.batch_due_at > now else None
    closed = f"Held. {way.held}" if way.held else ""
    if not closed and (wait := _closed(way, now, due_at)):
        closed = wait.sentence
    if row.batch_in_doubt_since:
        told = "Perhaps it arrived: its batch of e-mails got no clear answer and is sent again"
        told = f"{told}{f' {at(due_at, now)}' if due_at else ''}, which cannot arrive twice."
    else:
        told = "It is in a batch of e-mails that is being sent."
    return Wait(Kind.IN_BATCH, " ".join(filter(None, (told, closed))), due_at)


def at(instant: datetime, now: datetime) -> str:
    """Return when, as it stands in a sentence: "at 10:40 GMT", "on 4 March 2026 at 10:00 GMT"."""
    is_today = localtime(instant).date() == localtime(now).date()
    return f"{'at' if is_today else 'on'} {clock(instant, now)}"


def seconds(instant: datetime, now: datetime) -> str:
    """Return an instant of today to the second, and one of another day to the minute."""
    if localtime(instant).date() != localtime(now).date():
        return clock(instant, now)
    return f"{localtime(instant):%H:%M:%S %Z}"


def is_under_a_test(row: Any) -> bool:
    """Return whether a failed row waits for the canary of a retry."""
    return row.status == row.Status.FAILED and row.canary is not None


def _under_a_test(row: Any, now: datetime) -> Wait:
    """Return how the retry stands, which a page gave to the row."""
    if row.retry is None:
        return Wait(Kind.UNDER_A_TEST, "Failed, and waits for a test that is no longer known.")
    why = f"Failed, and is retried when a test has arrived: {row.retry.sentence(now)}"
    return Wait(Kind.UNDER_A_TEST, why)


def rows_that_wait(rows: Iterable[Any]) -> list[Any]:
    """Return the rows of which something is to be said: those that have not ended."""
    return [
        row
        for row in rows
        if row.waits or is_under_a_test(row) or row.status == row.Status.PROCESSING
    ]
