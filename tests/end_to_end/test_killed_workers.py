"""Queue workers killed and stopped at every point of a message's way: nothing lost, nothing twice.

Messages of all kinds are at the point together when their process dies. A call whose outcome nobody
knows is repeated under its key; of a WhatsApp message, which has none, a person is told.
"""

import signal
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from egac.channels import Channel
from notifications.models import EmailBatch, Notification
from tests.end_to_end.processes import RUN_WORKER_QUEUE, environment, running, stopping
from tests.notifications.loads import (
    BATCHED,
    EVERY_KIND,
    SINGLE,
    WHATSAPP,
    Kind,
    Stage,
    all_have_ended,
    assert_nothing_is_lost_or_doubled,
    called,
    let_the_leases_end,
    recover,
)
from tests.providers.client import eventually
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 2  # calls that one lane has open
LOOP, PASS = ("run_worker_queue", "--loop"), ("run_worker_queue",)
POLL_SECONDS = 5
A_SECOND, LONG = timedelta(seconds=1), timedelta(hours=1)


@dataclass(frozen=True)
class Point:
    """Where a process stops: how far its messages are then, and how many threads come there."""

    name: str
    stage: Stage
    kinds: tuple[Kind, ...] = EVERY_KIND
    in_calls: bool = False  # in the threads that call, of which a lane has several
    holds_locks: bool = False  # a transaction is open

    def threads(self, kinds: tuple[Kind, ...]) -> int:
        return sum(AT_ONCE if self.in_calls and kind is not BATCHED else 1 for kind in kinds)

    def __str__(self) -> str:
        return self.name


POINTS = [
    Point("before_the_claim_commits", Stage.WAITING, holds_locks=True),
    Point("after_the_claim", Stage.CLAIMED),
    Point("before_the_freeze_commits", Stage.CLAIMED, (BATCHED,), holds_locks=True),
    Point("after_the_claim_of_a_batch", Stage.FROZEN, (BATCHED,)),
    Point("before_the_call", Stage.STARTED),
    Point("after_the_answer", Stage.ACCEPTED, in_calls=True),
    Point("before_the_record", Stage.ACCEPTED),
    Point("before_the_record_commits", Stage.ACCEPTED, holds_locks=True),
]
BEFORE_THE_CALL = POINTS[4]


def child(provider: ProviderServer, **changes: str) -> dict[str, str]:
    told = {"WORKER_CONCURRENCY": str(AT_ONCE), "PROVIDER_TIMEOUT_SECONDS": "60", **changes}
    return environment(provider, **told)


def queue_all(kinds: tuple[Kind, ...], *, a_lane: int = AT_ONCE) -> None:
    """Queue five e-mails for a batch, and of the other kinds so many as a lane shall call."""
    for kind in kinds:
        kind.queue(5 if kind is BATCHED else a_lane)


def kinds_of_a_pass(point: Point) -> tuple[Kind, ...]:
    """Return what can be at the point together: a pass takes the lanes of a channel in turn."""
    return tuple(kind for kind in point.kinds if kind is not SINGLE)


def assert_they_are_at(stage: Stage, kinds: tuple[Kind, ...], provider: ProviderServer) -> None:
    assert [kind.stage(provider) for kind in kinds] == [stage] * len(kinds)


def in_doubt_from(stage: Stage) -> list[Kind]:
    """Return the kinds that no key protects once a call may have begun."""
    return [WHATSAPP] if stage >= Stage.STARTED else []


def rows_and_calls(provider: ProviderServer) -> tuple[list[Any], list[str]]:
    return list(Notification.objects.order_by("pk").values()), called(provider)


def wait_for_the_leases_to_end() -> None:
    """Wait, where a stopped process holds the rows' locks and nobody can move their leases."""
    live = [model.objects.filter(lease_ends_at__gte=Now()) for model in (Notification, EmailBatch)]
    assert eventually(lambda: not any(rows.exists() for rows in live), seconds=20)


def hold_the_calls(provider: ProviderServer, *, is_after: bool) -> tuple[Gate, Gate]:
    provider.resend.gate, provider.whatsapp.gate = Gate(is_after=is_after), Gate(is_after=is_after)
    return provider.resend.gate, provider.whatsapp.gate


def wait_for_the_calls(gates: tuple[Gate, Gate], *, emails: int, whatsapps: int) -> None:
    for gate, calls in zip(gates, (emails, whatsapps), strict=True):
        gate.wait_for_arrival(calls, timeout=60)


def let_go(gates: tuple[Gate, Gate]) -> None:
    for gate in gates:
        gate.let_go()


# Killed


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_invariant_04_05_what_a_killed_loop_left_is_sent_or_uncertain(
    provider: ProviderServer, point: Point
) -> None:
    queue_all(point.kinds)
    runner = stopping(point.name, *LOOP, threads=point.threads(point.kinds))
    with running(*runner, env=child(provider)) as process:
        process.wait_until_it_stops()
        process.kill()
    assert_they_are_at(point.stage, point.kinds, provider)

    let_the_leases_end()
    recover()

    assert all_have_ended()
    assert_nothing_is_lost_or_doubled(provider, in_doubt=in_doubt_from(point.stage))


@pytest.mark.parametrize("is_after", [False, True], ids=["before_accepting", "after_accepting"])
def test_invariant_04_05_what_a_pass_killed_during_its_calls_left_is_sent_or_uncertain(
    provider: ProviderServer, is_after: bool
) -> None:
    kinds = (BATCHED, WHATSAPP)
    stage = Stage.ACCEPTED if is_after else Stage.CALLED
    queue_all(kinds)
    gates = hold_the_calls(provider, is_after=is_after)
    with running(*RUN_WORKER_QUEUE, env=child(provider)) as process:
        wait_for_the_calls(gates, emails=1, whatsapps=AT_ONCE)
        process.kill()
    assert_they_are_at(stage, kinds, provider)
    let_go(gates)

    let_the_leases_end()
    recover()

    assert all_have_ended()
    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])
    assert WHATSAPP.rows.filter(reason="uncertain").count() == AT_ONCE


def test_invariant_04_the_orphans_of_32_calls_run_again_within_lease_and_poll(
    provider: ProviderServer,
) -> None:
    calls, lease_seconds = 32, 2
    for kind in (SINGLE, WHATSAPP):
        kind.queue(calls + 8)
    env = child(provider, WORKER_CONCURRENCY=str(calls), WORKER_LEASE_SECONDS=str(lease_seconds))
    gates = hold_the_calls(provider, is_after=False)
    with running(*RUN_WORKER_QUEUE, "--loop", env=env) as killed:
        wait_for_the_calls(gates, emails=calls, whatsapps=calls)
        killed.kill()
    let_go(gates)

    with running(*RUN_WORKER_QUEUE, "--loop", env=env) as following:
        slack = 30  # to start, and to send so many, on a busy machine
        ended = eventually(all_have_ended, seconds=lease_seconds + POLL_SECONDS + slack)
        following.signal(signal.SIGTERM)
        following.wait()

    assert ended
    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])
    assert WHATSAPP.rows.filter(reason="uncertain").count() == calls


# Stopped, and awake again when others have its rows


@pytest.mark.parametrize(
    "point", [point for point in POINTS if point is not BEFORE_THE_CALL], ids=str
)
def test_a_pass_that_wakes_after_its_lease_changes_nothing(
    provider: ProviderServer, point: Point
) -> None:
    kinds = kinds_of_a_pass(point)
    # A call that has begun beside the stopped thread cannot be taken back: it would go out after.
    queue_all(kinds, a_lane=AT_ONCE if point.in_calls else 1)
    runner = stopping(point.name, *PASS, threads=point.threads(kinds))
    with running(*runner, env=child(provider, WORKER_LEASE_SECONDS="2")) as late:
        late.wait_until_it_stops()
        assert_they_are_at(point.stage, kinds, provider)
        wait_for_the_leases_to_end() if point.holds_locks else let_the_leases_end()
        recover()
        before = rows_and_calls(provider)
        late.signal(signal.SIGCONT)
        late.wait()

    assert point.holds_locks or rows_and_calls(provider) == before
    assert not EmailBatch.objects.filter(row_ids=[]).exists()
    assert all_have_ended()
    assert_nothing_is_lost_or_doubled(provider, in_doubt=in_doubt_from(point.stage))


def test_a_loop_that_wakes_after_its_lease_begins_no_call(provider: ProviderServer) -> None:
    queue_all(EVERY_KIND)
    runner = stopping("before_the_call", *LOOP, threads=len(EVERY_KIND))
    with running(*runner, env=child(provider, WORKER_LEASE_SECONDS="2")) as late:
        late.wait_until_it_stops()
        assert_they_are_at(Stage.STARTED, EVERY_KIND, provider)
        wait_for_the_leases_to_end()
        recover()
        before = rows_and_calls(provider)
        late.signal(signal.SIGCONT)
        late.signal(signal.SIGTERM)
        late.wait()

    assert rows_and_calls(provider) == before
    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])


def test_invariant_13_a_loop_that_wakes_after_its_slot_begins_no_call(
    provider: ProviderServer,
) -> None:
    kinds = (SINGLE, WHATSAPP)
    queue_all(kinds, a_lane=1)
    runner = stopping("before_the_call", *LOOP, threads=len(kinds))
    with running(*runner, env=child(provider)) as late:
        late.wait_until_it_stops()
        assert_they_are_at(Stage.STARTED, kinds, provider)
        recent = Channel.objects.filter(next_slot_at__gte=Now() - A_SECOND)
        assert eventually(lambda: not recent.exists())
        Channel.objects.update(next_slot_at=Now() + LONG)  # till then the slots are others'
        late.signal(signal.SIGCONT)
        # Killed now, they would not be in doubt.
        assert eventually(lambda: not any(kind.stage(provider) >= Stage.STARTED for kind in kinds))
        late.signal(signal.SIGTERM)
        late.wait()

    assert called(provider) == []
    given_back = Notification.objects.filter(status="pending", attempts=0, call_started_at=None)
    assert given_back.count() == len(kinds)


def test_a_loop_that_wakes_in_the_middle_of_its_calls_changes_nothing(
    provider: ProviderServer,
) -> None:
    queue_all(EVERY_KIND)
    gates = hold_the_calls(provider, is_after=True)
    with running(*RUN_WORKER_QUEUE, "--loop", env=child(provider)) as late:
        wait_for_the_calls(gates, emails=1 + AT_ONCE, whatsapps=AT_ONCE)
        late.stop_at_rest()
        let_go(gates)
        let_the_leases_end()
        recover()
        assert all_have_ended()
        before = rows_and_calls(provider)
        late.signal(signal.SIGCONT)
        late.signal(signal.SIGTERM)
        _out, err = late.wait()

    assert rows_and_calls(provider) == before
    assert "its lease was lost" in err
    assert_nothing_is_lost_or_doubled(provider, in_doubt=[WHATSAPP])
