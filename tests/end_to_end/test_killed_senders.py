"""Senders side by side, killed, stopped and late: the provider's own ledger is the judge."""

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac.delivery import MessageAudit
from invites.models import Invite
from invites.services import retry_invites
from tests.egac.threads import side_by_side
from tests.end_to_end.processes import RETRY_INVITES, environment, running, stopping
from tests.invites.factories import make_invites
from tests.providers.client import eventually
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status
RETRY = RETRY_INVITES[1:]
AT_ONCE = 4  # calls that one process has open
ROWS = 10
LEASE = timedelta(seconds=30)


def child(provider: ProviderServer, **changes: str) -> dict[str, str]:
    return environment(
        provider, WORKER_CONCURRENCY=str(AT_ONCE), PROVIDER_TIMEOUT_SECONDS="60", **changes
    )


def run_after_the_lease() -> None:
    """Work, in this process, with the leases of the other one moved to their end."""
    Invite.objects.filter(status=Status.PROCESSING).update(lease_ends_at=Now() - LEASE)
    retry_invites()


def assert_each_was_sent_once(provider: ProviderServer, rows: int = ROWS) -> None:
    keys = [accepted.key for accepted in provider.resend.accepted]
    assert len(keys) == len(set(keys)) == rows
    assert Invite.objects.filter(status=Status.SENT).count() == rows
    for row in Invite.objects.all():
        lines = MessageAudit.objects.filter(source_id=str(row.pk), counted=True)
        assert row.attempts == lines.count() <= 2


def in_processing(**fields: object) -> int:
    return Invite.objects.filter(status=Status.PROCESSING, **fields).count()


def died_after_the_claim(provider: ProviderServer) -> None:
    assert in_processing(call_started_at=None) == ROWS
    assert provider.resend.calls == []


def died_before_the_call(provider: ProviderServer) -> None:
    assert in_processing() == ROWS
    assert 1 <= in_processing(call_started_at__isnull=False) <= AT_ONCE
    assert provider.resend.calls == []


def died_before_the_record(provider: ProviderServer) -> None:
    assert in_processing() == ROWS
    assert provider.resend.accepted
    assert MessageAudit.objects.count() == 0


POINTS = [
    ("after_the_claim", died_after_the_claim),
    ("before_the_call", died_before_the_call),
    ("before_the_record", died_before_the_record),
]


def test_five_processes_send_two_hundred_invites_once_each(provider: ProviderServer) -> None:
    make_invites(200)
    gate = provider.resend.gate = Gate.before_accepting()
    env = child(provider, RESEND_RATE_LIMIT="40")

    with ExitStack() as stack:
        processes = [stack.enter_context(running(*RETRY_INVITES, env=env)) for _ in range(5)]
        gate.wait_for_arrival(5 * AT_ONCE, timeout=60)  # so that all five have begun
        gate.let_go()
        results = [json.loads(process.wait()[0]) for process in processes]

    assert all(result["processed"] >= AT_ONCE for result in results)
    assert sum(result["processed"] for result in results) == 200
    assert_each_was_sent_once(provider, 200)
    assert len(provider.resend.calls) == 200


def test_five_threads_send_two_hundred_invites_once_each(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.WORKER_CONCURRENCY = AT_ONCE
    make_invites(200)

    results = side_by_side(5, lambda _: retry_invites())

    assert sum(result["processed"] for result in results) == 200
    assert_each_was_sent_once(provider, 200)
    assert len(provider.resend.calls) == 200


@pytest.mark.parametrize(("point", "died_there"), POINTS)
def test_what_a_killed_process_left_is_sent_by_the_next(
    provider: ProviderServer, point: str, died_there: Callable[[ProviderServer], None]
) -> None:
    make_invites(ROWS)
    with running(*stopping(point, *RETRY), env=child(provider)) as process:
        process.wait_until_it_stops()
        process.kill()
    died_there(provider)

    run_after_the_lease()

    assert_each_was_sent_once(provider)


@pytest.mark.parametrize("is_after", [False, True])
def test_what_a_process_killed_during_its_calls_left_is_sent_by_the_next(
    provider: ProviderServer, is_after: bool
) -> None:
    make_invites(ROWS)
    gate = provider.resend.gate = Gate(is_after=is_after)
    with running(*RETRY_INVITES, env=child(provider)) as process:
        gate.wait_for_arrival(AT_ONCE, timeout=30)
        process.kill()
    assert len(provider.resend.accepted) == AT_ONCE * is_after
    assert in_processing() == ROWS
    gate.let_go()

    run_after_the_lease()

    assert_each_was_sent_once(provider)
    repeated = MessageAudit.objects.filter(outcome="accepted", counted=False)
    assert repeated.count() == AT_ONCE


def test_a_process_told_to_end_finishes_its_calls_and_gives_the_rest_back(
    provider: ProviderServer,
) -> None:
    make_invites(ROWS)
    gate = provider.resend.gate = Gate.before_accepting()
    with running(*RETRY_INVITES, env=child(provider)) as process:
        gate.wait_for_arrival(AT_ONCE, timeout=30)
        process.signal(signal.SIGTERM)
        gate.let_go()
        process.wait()

    assert Invite.objects.filter(status="sent", attempts=1).count() == AT_ONCE
    assert Invite.objects.filter(status="pending", attempts=0).count() == ROWS - AT_ONCE
    assert len(provider.resend.calls) == AT_ONCE


@pytest.mark.parametrize(("point", "stopped_there"), POINTS)
def test_a_process_that_wakes_after_its_lease_changes_nothing(
    provider: ProviderServer, point: str, stopped_there: Callable[[ProviderServer], None]
) -> None:
    make_invites(ROWS)
    with running(*stopping(point, *RETRY), env=child(provider)) as late:
        late.wait_until_it_stops()
        stopped_there(provider)
        run_after_the_lease()
        before = list(Invite.objects.order_by("pk").values())
        late.signal(signal.SIGCONT)
        _out, err = late.wait()

    assert list(Invite.objects.order_by("pk").values()) == before
    assert_each_was_sent_once(provider)
    assert ("its lease was lost" in err) is (point != "after_the_claim")


def test_a_process_that_wakes_after_its_lease_begins_no_call(provider: ProviderServer) -> None:
    make_invites(ROWS)
    env = child(provider, WORKER_LEASE_SECONDS="2")
    with running(*stopping("before_the_call", *RETRY), env=env) as late:
        late.wait_until_it_stops()
        live = Invite.objects.filter(status=Status.PROCESSING, lease_ends_at__gte=Now())
        assert eventually(lambda: not live.exists(), seconds=10)
        retry_invites()
        late.signal(signal.SIGCONT)
        late.wait()

    assert len(provider.resend.calls) == ROWS
    assert_each_was_sent_once(provider)


def test_a_process_that_wakes_in_the_middle_of_its_calls_changes_nothing(
    provider: ProviderServer,
) -> None:
    make_invites(ROWS)
    gate = provider.resend.gate = Gate.after_accepting()
    with running(*RETRY_INVITES, env=child(provider)) as late:
        gate.wait_for_arrival(AT_ONCE, timeout=30)
        late.stop_at_rest()
        gate.let_go()
        run_after_the_lease()
        before = list(Invite.objects.order_by("pk").values())
        late.signal(signal.SIGCONT)
        _out, err = late.wait()

    assert list(Invite.objects.order_by("pk").values()) == before
    assert_each_was_sent_once(provider)
    assert "its lease was lost" in err
