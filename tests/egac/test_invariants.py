"""The invariants of the design, by number, as far as invites exist.

7 (enqueue), 14-19 and 21-23 belong to the notification queue and to the apps; 4 and 5 are shown
with processes that are killed in tests/end_to_end/test_killed_senders.py.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, F
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac.channels import Channel
from egac.delivery import MessageAudit
from egac.drain import Drain
from egac.orphans import settle_orphans
from egac.prepare import judged
from egac.providers.resend import EMAIL
from egac.record import Ended, record
from egac.retry import BACK_OFF
from invites.models import Invite
from invites.services import retry_invites
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory, make_invites
from tests.providers.faults import Fault, always, by_turns, fail_next, first_of, for_address
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = Invite.Status
LEASE = timedelta(seconds=30)
ENDED = (Status.SENT, Status.FAILED, Status.CANCELLED)


def let_time_pass() -> None:
    """Bring every next try to now, and open what was held."""
    Invite.objects.filter(status=Status.PENDING).update(due_at=Now())
    Channel.objects.update(held_until=F("held_until") - timedelta(days=40))


def kill_the_senders() -> None:
    Invite.objects.filter(status=Status.PROCESSING).update(lease_ends_at=Now() - LEASE)


def settle() -> int:
    return settle_orphans(Invite.objects.all(), EMAIL, lease=LEASE)


@in_threads
def test_invariant_01_no_row_ever_has_two_live_leases() -> None:
    make_invites(40)

    def claim_all(number: int) -> list[tuple[Any, int]]:
        taken: list[tuple[Any, int]] = []
        while Invite.objects.due().exists():
            batch = Invite.objects.claim(3, owner=str(number), lease=LEASE)
            taken += [(row.pk, row.lease_number) for row in batch]
        return taken

    earlier: set[tuple[Any, int]] = set()
    for round_ in (1, 2):
        taken = [lease for leases in side_by_side(5, claim_all) for lease in leases]
        assert len({key for key, _ in taken}) == len(taken) == 40
        assert len(set(taken) - earlier) == 40, "a lease number was given twice"
        earlier.update(taken)
        kill_the_senders()
        assert sum(side_by_side(3, lambda _: settle())) == 40, f"round {round_}"


def test_invariant_02_a_finish_with_an_old_lease_number_changes_no_row() -> None:
    InviteFactory()
    rows = Invite.objects.all()
    [late] = rows.claim(1, owner="late", lease=LEASE)
    kill_the_senders()
    settle()
    [current] = rows.claim(1, owner="current", lease=LEASE)
    before = rows.values().get()

    for ended in (Ended(late, "re_1"), Ended(late, called=False)):
        assert record(rows, [judged(ended, EMAIL, channel_is_down=False, jitter=0)]) == []

    assert rows.values().get() == before
    [written] = record(
        rows, [judged(Ended(current, "re_2"), EMAIL, channel_is_down=False, jitter=0)]
    )
    assert written.is_sent


def test_invariant_03_attempts_are_the_audit_lines_that_count(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    make_invites(12)
    provider.resend.faults = by_turns(
        Fault.server_error(),
        Fault.rate_limited(),
        Fault.hang_after_accepting(1),
        Fault.error(422, "validation_error", "No."),
        Fault.reset_before_accepting(),
        None,
        Fault.daily_quota(),
    )

    for _ in range(6):
        Channel.objects.update(probing=False, failures=0, held_until=None)
        retry_invites(limit=12, seconds=5)
        assert_attempts_are_counted()
        let_time_pass()


def assert_attempts_are_counted() -> None:
    for row in Invite.objects.all():
        lines = MessageAudit.objects.filter(source_id=str(row.pk), generation=row.generation)
        assert row.attempts == lines.filter(counted=True).count() <= 3


@pytest.mark.parametrize("is_after", [False, True])
def test_invariant_04_a_row_of_a_dead_sender_is_sent_within_its_lease(
    provider: ProviderServer, is_after: bool
) -> None:
    make_invites(3)
    rows = Invite.objects.claim(3, owner="dead", lease=LEASE)
    for row in rows[: 3 * is_after]:
        row.rendered = None
        Invite.objects.all().start([row])
    retry_invites()
    assert provider.resend.calls == []  # the lease is not over yet

    kill_the_senders()
    retry_invites()

    assert Invite.objects.filter(status=Status.SENT).count() == 3


def test_invariant_05_a_provider_that_honours_keys_accepts_each_once(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    make_invites(12)
    provider.resend.faults = by_turns(
        Fault.hang_after_accepting(1),
        Fault.reset_after_accepting(),
        Fault.half_an_answer(),
        Fault.server_error().after_accepting(),
        Fault.not_json(),
        None,
    )

    for _ in range(12):
        Channel.objects.update(probing=False, failures=0, held_until=None)
        retry_invites(seconds=5)
        let_time_pass()

    keys = [accepted.key for accepted in provider.resend.accepted]
    assert len(keys) == len(set(keys)) == 12


def test_invariant_06_every_row_ends_and_the_sum_is_what_was_queued(
    provider: ProviderServer,
) -> None:
    make_invites(10)
    InviteFactory(enquiry__email="nobody")
    InviteFactory(enquiry__email="refused@families.example")
    InviteFactory(enquiry=None)
    InviteFactory(attempts=3)
    InviteFactory(accepted_at=Now())
    InviteFactory(status=Status.PROCESSING, attempts=3, updated_at=Now() - 2 * LEASE)
    provider.resend.faults = first_of(
        for_address("refused@families.example", Fault.error(422, "validation_error", "No.")),
        by_turns(None, Fault.server_error(), None),
    )

    while Invite.objects.exclude(status__in=ENDED).exists():
        retry_invites()
        let_time_pass()

    ends = dict(Invite.objects.values_list("status").annotate(count=Count("pk")))
    assert sum(ends.values()) == 16
    assert ends[Status.SENT] >= 5
    assert not Invite.objects.filter(status=Status.FAILED, reason=None).exists()


@in_threads
def test_invariant_08_no_transaction_is_open_during_a_call(provider: ProviderServer) -> None:
    make_invites(6)
    gate = provider.resend.gate = Gate.before_accepting()

    def look(_number: int) -> list[tuple[Any, ...]]:
        gate.wait_for_arrival(4)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() "
                "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
            found = cursor.fetchall()
        gate.let_go()
        return found

    works: list[Callable[[int], Any]] = [
        lambda _: Drain(Invite.objects.all(), EMAIL, concurrency=4).run(),
        look,
    ]
    _note, open_transactions = side_by_side(2, lambda number: works[number](number))

    # The drain's own short statements (it prolongs its leases) are not held open: none is idle.
    assert [each for each in open_transactions if "idle" in each[0]] == []
    assert Invite.objects.filter(status=Status.SENT).count() == 6


def test_invariant_09_a_future_row_waits_although_a_clock_is_an_hour_ahead(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    InviteFactory(due_at=Now() + timedelta(minutes=30))
    [held] = make_invites(1)
    Invite.objects.filter(pk=held.pk).update(
        status=Status.PROCESSING, lease_ends_at=Now() + timedelta(minutes=30)
    )
    ahead = 3600.0
    now, monotonic, zoned = time.time, time.monotonic, timezone.now
    monkeypatch.setattr(time, "time", lambda: now() + ahead)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + ahead)
    monkeypatch.setattr(timezone, "now", lambda: zoned() + timedelta(seconds=ahead))

    retry_invites()

    assert provider.resend.calls == []


@pytest.mark.parametrize("retry_after", [None, 90, 400])
def test_invariant_10_a_retry_waits_long_enough_and_little_longer(
    provider: ProviderServer, retry_after: int | None
) -> None:
    make_invites(4)
    headers = {} if retry_after is None else {"retry_after": str(retry_after)}
    provider.resend.faults = always(Fault.error(503, "service_unavailable", "No.", **headers))

    for tries in (1, 2):
        retry_invites()
        least = max(BACK_OFF[tries - 1], timedelta(seconds=retry_after or 0))
        waits = Invite.objects.annotate(wait=F("due_at") - F("updated_at"))
        told = list(waits.filter(attempts=tries).values_list("wait", flat=True))
        assert told
        assert all(least <= wait <= 1.2 * least for wait in told)
        Channel.objects.update(probing=False, failures=0, held_until=None)
        let_time_pass()


@pytest.mark.parametrize(
    "fault", [Fault.rate_limited(retry_after=60), Fault.daily_quota(), Fault.monthly_quota()]
)
def test_invariant_11_a_rate_limit_costs_no_attempt(provider: ProviderServer, fault: Fault) -> None:
    make_invites(5)
    provider.resend.faults = always(fault)

    for _ in range(6):
        retry_invites()
        let_time_pass()

    assert provider.resend.calls
    assert Invite.objects.filter(status=Status.PENDING, attempts=0).count() == 5


def test_invariant_11_an_open_breaker_costs_no_attempt(provider: ProviderServer) -> None:
    make_invites(5)
    Channel.objects.update_or_create(
        name="email", defaults={"failures": 5, "probing": True, "held_because": "unavailable"}
    )
    provider.resend.faults = always(Fault.server_error())

    for _ in range(4):
        retry_invites()
        let_time_pass()

    assert len(provider.resend.calls) == 4
    assert Invite.objects.filter(status=Status.PENDING, attempts=0).count() == 5


def test_invariant_12_a_permanent_error_makes_exactly_one_call(provider: ProviderServer) -> None:
    make_invites(5)
    provider.resend.faults = always(Fault.error(422, "validation_error", "No."))

    for _ in range(3):
        retry_invites()
        let_time_pass()

    assert len(provider.resend.calls) == 5
    assert Invite.objects.filter(status=Status.FAILED, reason="permanent", attempts=1).count() == 5


@in_threads
def test_invariant_13_all_workers_together_keep_to_the_rate(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 5
    make_invites(20)

    side_by_side(4, lambda _: Drain(Invite.objects.all(), EMAIL, concurrency=4).run())

    assert Invite.objects.filter(status=Status.SENT).count() == 20
    assert provider.resend.max_calls_in_any_second() <= 6


@in_threads
def test_invariant_13_also_after_an_outage(provider: ProviderServer, settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 5
    make_invites(20)
    provider.resend.faults = fail_next(*[Fault.unavailable()] * 5)
    Drain(Invite.objects.all(), EMAIL).run()
    let_time_pass()  # minutes in which nothing was sent

    side_by_side(4, lambda _: Drain(Invite.objects.all(), EMAIL, concurrency=4).run())
    let_time_pass()
    side_by_side(4, lambda _: Drain(Invite.objects.all(), EMAIL, concurrency=4).run())

    assert Invite.objects.filter(status=Status.SENT).count() == 20
    assert provider.resend.max_calls_in_any_second() <= 6


def test_invariant_20_no_secret_in_a_log_an_error_or_the_audit(
    provider: ProviderServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RESEND_API_KEY = "re_very_secret_key"
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    invites = make_invites(6)
    repeats = Fault.error(422, "validation_error", "The key re_very_secret_key may not do that.")
    provider.resend.faults = fail_next(
        repeats, Fault.hang(1), Fault.reset_after_accepting(), Fault.html_502(), Fault.redirect()
    )

    with caplog.at_level("DEBUG", logger="egac"):
        retry_invites()

    told = caplog.text + "".join(map(str, MessageAudit.objects.values()))
    told += "".join(map(str, Invite.objects.values("last_error")))
    assert "[redacted] may not do that" in told
    assert "re_very_secret_key" not in told
    assert not any(invite.token in told for invite in invites)
