"""Figures that triggers keep: equal to a count at every instant, whoever writes."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from egac.counting import FILL_HOURS, FILLED, SLOTS
from egac.figures import attempts_of_days, attempts_of_hours, finished
from egac.models import FinishedRows, HourlyFigure, MessageAudit
from invites.models import Invite
from jobs.history import prune_history
from notifications.models import Notification
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, sql, whatsapp

pytestmark = pytest.mark.django_db

Status = Notification.Status
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def counted() -> Counter[tuple[str, str]]:
    """Count what `finished` should say of the queue."""
    rows = Notification.objects.filter(status__in=ENDED)
    return Counter(
        ("whatsapp" if row.is_whatsapp else "email", row.status)
        for row in rows.only("payload", "status")
    )


def known(table: str = "notifications_queue") -> Counter[tuple[str, str]]:
    return Counter(
        {
            (channel, status): count
            for (of, channel, status), count in finished().items()
            if count and of == table
        }
    )


def test_a_finished_row_is_counted_by_its_channel() -> None:
    queue(email(), status=Status.COMPLETED)
    queue(whatsapp(), status=Status.FAILED)
    queue(email())

    assert known() == {("email", "completed"): 1, ("whatsapp", "failed"): 1}


def test_plain_sql_of_another_program_is_counted() -> None:
    sql(
        "INSERT INTO notifications_queue (type, payload, status) SELECT 'x', '{}', word "
        "FROM unnest(ARRAY['completed', 'completed', 'failed', 'pending']) AS word"
    )

    sql("UPDATE notifications_queue SET status = 'cancelled' WHERE status <> 'completed'")
    sql("DELETE FROM notifications_queue WHERE status = 'completed'")

    assert known() == {("email", "cancelled"): 2}


def test_a_row_that_is_opened_again_is_counted_no_more() -> None:
    row = queue(email(), status=Status.FAILED)

    Notification.objects.filter(pk=row.pk).requeue()

    assert known() == {}


def test_a_row_that_changes_its_channel_is_counted_there() -> None:
    row = queue(email(), status=Status.COMPLETED)

    Notification.objects.filter(pk=row.pk).update(payload=whatsapp())

    assert known() == {("whatsapp", "completed"): 1}


def test_what_is_rolled_back_is_not_counted() -> None:
    with transaction.atomic():
        queue(email(), status=Status.COMPLETED)
        transaction.set_rollback(True)

    assert known() == {}


def test_a_truncated_table_counts_nothing() -> None:
    queue(email(), status=Status.COMPLETED)

    sql("TRUNCATE notifications_queue")

    assert known() == {}


def test_a_change_that_ends_nothing_writes_nothing() -> None:
    queue(email(), status=Status.COMPLETED)
    queue(email())
    written = "SELECT ctid::text, * FROM finished_rows"  # a row that is written stands elsewhere
    before = sql(written)

    Notification.objects.update(rendered="x", updated_at=timezone.now())
    Notification.objects.filter(status="pending").update(status="processing")

    assert sql(written) == before


def test_invites_are_counted_in_every_state_that_ends_them() -> None:
    for status in Invite.Status.values:
        InviteFactory(status=status)

    states = ("sent", "accepted", "failed", "cancelled")
    assert known("invites") == {("email", status): 1 for status in states}


@pytest.mark.ci_only
def test_a_role_that_may_only_write_the_table_is_counted_too() -> None:
    sql("CREATE ROLE website_of_tests")
    sql("GRANT INSERT ON notifications_queue TO website_of_tests")
    sql("GRANT USAGE ON SEQUENCE notifications_queue_id_seq TO website_of_tests")
    sql("SET LOCAL ROLE website_of_tests")

    sql("INSERT INTO notifications_queue (type, payload, status) VALUES ('x', '{}', 'failed')")

    sql("RESET ROLE")
    assert known() == {("email", "failed"): 1}


operations = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete", "channel"]),
        st.sampled_from(Status.values),
        st.sampled_from(Status.values),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=25)
@given(operations)
def test_the_figures_equal_a_count_after_any_operations(asked: list[Any]) -> None:
    with transaction.atomic():
        for what, status, other, is_whatsapp in asked:
            payload = whatsapp() if is_whatsapp else email()
            rows = Notification.objects.filter(status=status)
            if what == "insert":
                Notification.objects.bulk_create(
                    Notification(type="x", payload=payload, status=word) for word in (status, other)
                )
            elif what == "update":
                rows.update(status=other)
            elif what == "delete":
                rows.filter(pk__in=list(rows.values_list("pk", flat=True)[:1])).delete()
            else:
                rows.update(payload=payload)
            assert known() == counted()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_the_figures_are_exact_under_concurrent_writers() -> None:
    rows = [queue(email() if n % 2 else whatsapp()) for n in range(40)]

    def end(number: int) -> None:
        """End every row once, each thread its own, in orders that cross."""
        for row in sorted(rows[number::4], key=lambda row: row.pk, reverse=number % 2 == 0):
            with transaction.atomic():
                Notification.objects.filter(pk=row.pk).update(status=ENDED[row.pk % 3])
                queue(whatsapp(), status=Status.CANCELLED)

    side_by_side(4, end)

    assert known() == counted()
    assert sum(known().values()) == 80


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_stays_open_holds_nobody_up() -> None:
    held = queue(email())
    others = [queue(email()) for _ in range(3)]

    def end(number: int) -> None:
        sql("SET lock_timeout = '1s'")
        Notification.objects.filter(pk=others[number].pk).update(status=Status.COMPLETED)

    with transaction.atomic():
        Notification.objects.filter(pk=held.pk).update(status=Status.COMPLETED)
        side_by_side(3, end)

    assert known() == {("email", "completed"): 4}


# Hourly figures


def attempt(at: datetime, outcome: str = "accepted", channel: str = "email") -> MessageAudit:
    return MessageAudit(
        at=at,
        source="invites",
        source_id="x",
        generation=1,
        attempt=1,
        counted=True,
        channel=channel,
        recipient="a@club.example",
        provider="resend",
        outcome=outcome,
    )


def test_attempts_are_counted_by_hour_channel_and_outcome() -> None:
    ten = datetime(2026, 11, 24, 10, tzinfo=UTC)
    later = ten + timedelta(minutes=59)

    MessageAudit.objects.bulk_create(
        [attempt(ten), attempt(later), attempt(later, "refused"), attempt(ten, channel="whatsapp")]
    )
    attempt(ten + timedelta(hours=1)).save()

    assert attempts_of_hours(since=ten) == {
        (ten, "email", "accepted"): 2,
        (ten, "email", "refused"): 1,
        (ten, "whatsapp", "accepted"): 1,
        (ten + timedelta(hours=1), "email", "accepted"): 1,
    }


def test_attempts_are_summed_by_business_date() -> None:
    summer_midnight = datetime(2026, 7, 1, 23, tzinfo=UTC)  # 2 July has begun in London

    attempt(summer_midnight - timedelta(minutes=1)).save()
    attempt(summer_midnight).save()

    assert attempts_of_days(since=date(2026, 7, 1)) == {
        (date(2026, 7, 1), "email", "accepted"): 1,
        (date(2026, 7, 2), "email", "accepted"): 1,
    }


def test_the_lines_of_before_the_triggers_are_counted_by_the_migration() -> None:
    ten = datetime(2026, 11, 24, 10, tzinfo=UTC)
    MessageAudit.objects.bulk_create([attempt(ten), attempt(ten + timedelta(hours=3), "refused")])
    before = attempts_of_hours(since=ten)
    HourlyFigure.objects.all().delete()

    sql(FILL_HOURS)

    assert attempts_of_hours(since=ten) == before
    assert len(before) == 2


def test_pruning_the_audit_leaves_the_figures() -> None:
    now = timezone.now()
    old = now - timedelta(days=735)
    attempt(old).save()

    prune_history(now, dry_run=False, stop=Event())

    assert MessageAudit.objects.count() == 0
    assert sum(attempts_of_hours(since=old - timedelta(hours=1)).values()) == 1


def test_figures_go_a_month_after_the_lines_that_they_counted() -> None:
    now = timezone.now()
    attempt(now - timedelta(days=765)).save()
    attempt(now - timedelta(days=755)).save()

    counts = prune_history(now, dry_run=False, stop=Event())["counts"]

    assert counts["hourly figures"] == 1
    assert HourlyFigure.objects.aggregate(rows=Count("count"))["rows"] == 1


def test_every_slot_lies_within_its_bounds() -> None:
    queue(email(), status=Status.COMPLETED)

    slots = set(FinishedRows.objects.values_list("slot", flat=True))

    assert slots <= set(range(FILLED, SLOTS))
