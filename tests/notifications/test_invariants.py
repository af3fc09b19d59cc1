"""The invariants of the design, by number, for messages of the queue, batches of e-mails included.

4 and 5 are shown with processes that are killed as well (tests/end_to_end/test_killed_workers.py),
7 in test_enqueue.py, 21 in tests/egac/test_settling.py and test_webhooks.py.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac.orphans import settle_orphans
from egac.prepare import judged
from egac.providers.resend import BATCH
from egac.record import Ended, record
from notifications.batches import form_batches, settle
from notifications.models import EmailBatch, Notification, NotificationQuerySet
from tests.egac.threads import side_by_side
from tests.notifications.factories import queue
from tests.notifications.loads import (
    BATCHED,
    EVERY_KIND,
    SINGLE,
    WHATSAPP,
    Kind,
    accepted,
    all_have_ended,
    assert_attempts_are_counted,
    called,
    close_the_breakers,
    let_the_leases_end,
    let_time_pass,
    recover,
    strike,
)
from tests.providers.faults import Fault, by_turns
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer
from tests.providers.whatsapp import whatsapp_error

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status
LEASE = timedelta(seconds=30)
each_kind = pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.name)


def fresh() -> NotificationQuerySet:
    return Notification.objects.for_email().freshly_due()


def form() -> int:
    return form_batches(fresh(), owner="one", lease=LEASE, limit=100, on_records=len)


def test_invariant_01_no_row_is_in_two_batches_nor_a_batch_with_two_senders() -> None:
    BATCHED.queue(60)

    side_by_side(
        5,
        lambda number: form_batches(
            fresh(), owner=str(number), lease=LEASE, limit=20, on_records=len
        ),
    )
    taken = side_by_side(
        5, lambda number: EmailBatch.objects.claim(100, owner=str(number), lease=LEASE)
    )

    frozen = [key for batch in EmailBatch.objects.all() for key in batch.row_ids]
    assert len(frozen) == len(set(frozen)) == 60
    claimed = [batch.pk for batches in taken for batch in batches]
    assert len(claimed) == len(set(claimed)) == EmailBatch.objects.count()


def test_invariant_02_a_late_end_of_a_batch_changes_no_row() -> None:
    BATCHED.queue(3)
    form()
    batches = EmailBatch.objects.all()
    [late] = batches.claim(1, owner="late", lease=LEASE)
    let_the_leases_end()
    settle_orphans(batches, BATCH, lease=LEASE, also=settle)
    before = [list(rows.values()) for rows in (batches, Notification.objects.order_by("pk"))]

    for ended in (Ended(late, ["re_1", "re_2", "re_3"]), Ended(late, called=False)):
        end = judged(ended, BATCH, channel_is_down=False, jitter=0)
        assert record(batches, [end], also=settle) == []

    after = [list(rows.values()) for rows in (batches, Notification.objects.order_by("pk"))]
    assert after == before


def test_invariant_03_attempts_are_the_audit_lines_that_count(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    for kind in EVERY_KIND:
        kind.queue(6)
    strike(
        provider,
        by_turns(
            None,
            Fault.unavailable(),
            Fault.rate_limited(retry_after=60),
            Fault.reset_before_accepting(),
            Fault.hang_after_accepting(1),
        ),
    )

    for _ in range(4):
        recover()
        for row in Notification.objects.all():
            assert_attempts_are_counted(row)
        close_the_breakers()
        let_time_pass()


@each_kind
def test_invariant_04_a_row_of_a_dead_sender_is_sent_within_its_lease(
    provider: ProviderServer, kind: Kind
) -> None:
    kind.queue(3)
    assert len(Notification.objects.claim(3, owner="dead", lease=LEASE)) == 3
    recover()
    assert called(provider) == []  # the lease is not over yet

    let_the_leases_end()
    recover()

    assert kind.rows.filter(status=Status.COMPLETED, attempts=2).count() == 3


def test_invariant_05_a_provider_that_honours_keys_accepts_each_once(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    BATCHED.queue(8)
    SINGLE.queue(8)
    provider.resend.faults = by_turns(
        Fault.hang_after_accepting(1),
        Fault.reset_after_accepting(),
        Fault.half_an_answer(),
        Fault.server_error().after_accepting(),
        Fault.not_json(),
        None,
    )

    for _ in range(7):
        recover()
        close_the_breakers()
        let_time_pass()

    assert sorted(accepted(provider).values()) == [1] * 16
    assert not Notification.objects.filter(status=Status.PENDING, in_doubt_since=None).exists()


def test_invariant_06_every_row_ends_and_the_sum_is_what_was_queued(
    provider: ProviderServer,
) -> None:
    for kind in EVERY_KIND:
        kind.queue(7)
    queue({"channel": "pigeon"})
    queue(WHATSAPP.payload(1), expires_at=Now() - LEASE)
    queue(BATCHED.payload(8), attempts=Notification.attempt_limit())
    queue(SINGLE.payload(9), status=Status.PROCESSING, updated_at=Now() - 2 * LEASE)
    queue(WHATSAPP.payload(9), status=Status.PROCESSING, updated_at=Now() - 2 * LEASE)
    refused = Fault.error(422, "validation_error", "No.")
    provider.resend.faults = by_turns(None, Fault.unavailable(), None, refused)
    undeliverable = whatsapp_error(131026, "Message undeliverable.")
    provider.whatsapp.faults = by_turns(None, Fault.unavailable(), None, undeliverable)

    for _ in range(8):
        recover()
        close_the_breakers()
        let_time_pass()

    assert all_have_ended()
    assert Notification.objects.count() == 3 * 7 + 5
    unsent = Notification.objects.exclude(status=Status.COMPLETED)
    assert set(unsent.values_list("reason", flat=True)) >= {"invalid", "expired", "uncertain"}
    assert not unsent.filter(reason=None).exists()


@each_kind
def test_invariant_08_no_transaction_is_open_during_a_call(
    provider: ProviderServer, kind: Kind
) -> None:
    kind.queue(2)
    gate = provider.resend.gate = provider.whatsapp.gate = Gate.before_accepting()

    def look() -> list[tuple[Any, ...]]:
        gate.wait_for_arrival()
        time.sleep(0.1)  # the statements that surround the beginning of a call are over
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
            )
            found = cursor.fetchall()
        gate.let_go()
        return found

    works: list[Callable[[], Any]] = [recover, look]
    _none, open_transactions = side_by_side(2, lambda number: works[number]())

    assert open_transactions == []
    assert kind.rows.filter(status=Status.COMPLETED).count() == 2


@each_kind
def test_invariant_09_a_future_row_waits_although_a_clock_is_an_hour_ahead(
    provider: ProviderServer, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.queue(2)
    kind.rows.update(due_at=Now() + timedelta(minutes=30))
    ahead, now, zoned = 3600.0, time.time, timezone.now
    monkeypatch.setattr(time, "time", lambda: now() + ahead)
    monkeypatch.setattr(timezone, "now", lambda: zoned() + timedelta(seconds=ahead))

    recover()

    assert called(provider) == []
    assert kind.rows.filter(status=Status.PENDING).count() == 2
