"""The table as another program knows it: plain SQL puts rows in, and reads what became of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now

from egac.orphans import settle_orphans
from egac.preview import preview_due
from egac.providers.resend import EMAIL
from egac.record import given_back, record
from notifications.models import EmailBatch, Notification
from notifications.passes import CHANNELS, run_pass
from tests.notifications.factories import INSERT, email, insert, queue_emails, sql, whatsapp
from tests.notifications.loads import ATTACHMENT
from tests.notifications.test_payloads import UNSENDABLE
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status
LEASE = timedelta(seconds=30)
STATES = "SELECT payload->>'to', status, attempts, reason, error_message FROM notifications_queue"
# From the notes' section "Verifying the worker is running", as they stand there.
BY_STATUS = """
-- Check if jobs are being processed (status changes from pending → processing → completed)
SELECT status, COUNT(*), MAX(updated_at) as last_activity
FROM notifications_queue
GROUP BY status;
"""
OLD_PENDING = """
-- If you see old 'pending' jobs with recent created_at, the worker isn't running
SELECT id, type, status, created_at, updated_at, attempts
FROM notifications_queue
WHERE status = 'pending' AND created_at < NOW() - INTERVAL '10 minutes';
"""


def send(limit: int = 1000, channels: Sequence[str] = tuple(CHANNELS)) -> None:
    run_pass(limit=limit, seconds=30, channels=channels)


# Rows of another program


@pytest.mark.parametrize("payload", [email(), whatsapp()])
def test_a_row_that_names_only_type_and_payload_is_sent(
    provider: ProviderServer, payload: dict[str, Any]
) -> None:
    insert(payload)

    send()

    assert sql(STATES) == [(payload["to"], "completed", 1, None, None)]
    assert len(provider.resend.accepted) + len(provider.whatsapp.accepted) == 1


def test_a_row_whose_attempts_another_program_wrote_below_zero_is_sent_as_untried(
    provider: ProviderServer,
) -> None:
    for payload in (email(), email("alone@families.example", attachments=[ATTACHMENT]), whatsapp()):
        insert(payload)
    sql("UPDATE notifications_queue SET attempts = -3")

    send()

    assert sql("SELECT status, attempts FROM notifications_queue") == [("completed", 1)] * 3


def test_the_database_fills_in_the_rest() -> None:
    insert({})

    filled = "status, attempts, error_message, scheduled_for, created_at = updated_at"
    assert sql(f"SELECT {filled} FROM notifications_queue") == [("pending", 0, None, None, True)]


def test_a_row_that_can_never_be_sent_fails_at_once_with_a_sentence(
    provider: ProviderServer,
) -> None:
    for type, (payload, _) in UNSENDABLE.items():
        insert(payload, type=type)

    send()

    for row in Notification.objects.all():
        assert (row.status, row.attempts, row.reason) == (Status.FAILED, 0, "invalid"), row.type
        assert re.search(UNSENDABLE[row.type][1], row.last_error), row.last_error
    assert provider.resend.calls == provider.whatsapp.calls == []


def test_broken_rows_of_every_kind_never_stop_the_good_ones_behind(
    provider: ProviderServer,
) -> None:
    kinds = [payload for payload, _ in UNSENDABLE.values()]
    for number in range(100):
        insert(kinds[number % len(kinds)])
    for number in range(50):
        insert(email(f"good{number}@families.example"))
        insert(whatsapp(f"+4477009001{number:02d}"))

    send(limit=100)

    assert Notification.objects.filter(status=Status.COMPLETED).count() == 100
    assert Notification.objects.filter(status=Status.FAILED, reason="invalid").count() == 100
    assert len(provider.resend.accepted) == len(provider.whatsapp.accepted) == 50


@pytest.mark.parametrize(
    "payload",
    [
        f'{{"channel": "email", "amount": {"9" * 5000}}}',
        f'{{"channel": "email", "deep": {"[" * 3000}{"]" * 3000}}}',
        f"{'[' * 3000}{']' * 3000}",
    ],
)
def test_what_the_database_can_hold_and_we_cannot_read_harms_nobody(
    provider: ProviderServer, payload: str
) -> None:
    sql(INSERT, "another_programs", payload)
    insert(email())

    send()

    assert [row[1] for row in sql(f"{STATES} ORDER BY id")] == ["failed", "completed"]


def test_a_pass_settles_the_orphans_of_a_channel_with_nothing_due(provider: ProviderServer) -> None:
    insert(whatsapp())
    claimed()
    Notification.objects.update(lease_ends_at=Now() - LEASE)

    send()

    assert Notification.objects.get().status == Status.COMPLETED


# The notes' two queries


def test_the_notes_queries_show_how_far_the_worker_is(provider: ProviderServer) -> None:
    insert(email())
    insert({})
    sql("UPDATE notifications_queue SET created_at = now() - interval '1 hour', updated_at = now()")
    before = sql(OLD_PENDING)

    send()

    told = {status: (count, last) for status, count, last in sql(BY_STATUS)}
    assert [row[1:3] for row in before] == [("another_programs", "pending")] * 2
    assert {status: count for status, (count, _) in told.items()} == {"completed": 1, "failed": 1}
    assert all(last > before[0][4] for _, last in told.values())
    assert sql(OLD_PENDING) == []


def claimed() -> list[Any]:
    return Notification.objects.claim(10, owner="me", lease=LEASE)


def start() -> None:
    [row] = claimed()
    row.rendered = "{}"
    make_old()
    assert Notification.objects.start([row]) == {row.pk}


def freeze() -> None:
    rows, batch = claimed(), EmailBatch.objects.create(row_ids=[])
    make_old()
    assert Notification.objects.freeze(rows, batch=batch) == {row.pk for row in rows}


def give_back() -> None:
    rows = claimed()
    make_old()
    assert record(Notification.objects.all(), [given_back(row) for row in rows])


def settle_left_by_another() -> None:
    Notification.objects.update(status=Status.PROCESSING)
    make_old()
    assert settle_orphans(Notification.objects.all(), EMAIL, lease=LEASE)


def extend() -> None:
    claimed()
    make_old()
    assert Notification.objects.extend(owner="me", lease=LEASE)


def give_up() -> None:
    Notification.objects.update(attempts=Notification.attempt_limit())
    make_old()
    assert Notification.objects.give_up() == 1


def ended(status: str, change: Callable[[], int]) -> None:
    Notification.objects.update(status=status)
    make_old()
    assert change() == 1


def make_old() -> None:
    Notification.objects.update(updated_at=Now() - timedelta(days=1))


CHANGES: dict[str, Callable[[], object]] = {
    "claim": claimed,
    "start": start,
    "record": give_back,
    "freeze": freeze,
    "settle an orphan": settle_left_by_another,
    "requeue": lambda: ended("failed", Notification.objects.requeue),
    "send again": lambda: ended("completed", Notification.objects.send_again),
    "make due": lambda: ended("pending", Notification.objects.make_due),
    "cancel": lambda: ended("failed", Notification.objects.cancel),
    "give up": give_up,
    "extend": extend,
    "go ahead": Notification.objects.hurry,
    "preview": lambda: list(preview_due(Notification.objects.all(), limit=1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_ours_sets_updated_at(change: str) -> None:
    queue_emails(1)
    make_old()

    CHANGES[change]()

    assert Notification.objects.filter(updated_at__gt=Now() - timedelta(minutes=1)).count() == 1


# Waking the worker


@pytest.fixture
def heard() -> Iterator[Callable[[], bool]]:
    """Listen as the worker does; tell whether a NOTIFY came since the last time."""
    names = ("dbname", "user", "password", "host", "port")
    known = {name: value for name, value in connection.get_connection_params().items() if value}
    known = {name: known[name] for name in names if name in known}
    with psycopg.connect(**known, autocommit=True) as listening:
        listening.execute("LISTEN notifications_queue")
        yield lambda: bool(list(listening.notifies(timeout=0.3, stop_after=1)))


def test_an_insert_wakes_the_worker(heard: Callable[[], bool]) -> None:
    insert(email())

    assert heard()


@pytest.mark.parametrize(
    ("status", "wake"),
    [
        ("failed", lambda: Notification.objects.requeue()),
        ("completed", lambda: Notification.objects.send_again()),
        ("pending", lambda: Notification.objects.make_due()),
        ("failed", lambda: sql("UPDATE notifications_queue SET status = 'pending'")),
        ("pending", lambda: sql("UPDATE notifications_queue SET scheduled_for = now()")),
    ],
)
def test_what_is_made_due_wakes_the_worker(
    heard: Callable[[], bool], status: str, wake: Callable[[], object]
) -> None:
    queue_emails(1)
    Notification.objects.update(status=status)
    assert heard()

    wake()

    assert heard()


def test_the_workers_own_changes_wake_nobody(
    heard: Callable[[], bool], provider: ProviderServer
) -> None:
    queue_emails(3)
    insert(whatsapp())
    insert({})
    while heard():
        pass  # one for each of the inserts

    give_back()
    send()

    assert Notification.objects.filter(status=Status.COMPLETED).count() == 4
    assert not heard()
