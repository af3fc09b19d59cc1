"""The queue is handed back as it was."""

import itertools

import pytest
from django.db import IntegrityError

from egac import adoption
from tests.notifications.adoption.queue_table import (
    CHECK,
    EVERY_FEW,
    INVITES,
    QUEUE,
    TRACELESS,
    Make,
    QueueDatabase,
    fails_at,
)


@pytest.mark.parametrize("variant", TRACELESS)
def test_the_way_back_leaves_what_was_there(make: Make, variant: str) -> None:
    database = make(QUEUE, TRACELESS[variant])
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


@pytest.mark.parametrize("variant", ["as it stands", "without a check"])
def test_goes_forward_again_after_the_way_back(
    make: Make, fresh: QueueDatabase, variant: str
) -> None:
    database = make(QUEUE, TRACELESS[variant])
    database.migrate()
    database.migrate("zero")

    database.migrate()

    assert database.schema() == fresh.schema()


def test_goes_back_after_a_failure_at_any_point(make: Make) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(QUEUE)
        before, failed = queue.dump(), fails_at(step, queue)

        queue.migrate("zero")

        assert queue.dump() == before, step
        if not failed:
            return


@pytest.mark.parametrize("script", ["", QUEUE])
def test_goes_back_after_a_failure_on_the_way_back(make: Make, script: str) -> None:
    for step in itertools.count(1, EVERY_FEW):
        queue = make(script)
        before = queue.dump() if script else None
        queue.migrate()
        failed = fails_at(step, queue, "zero")

        queue.migrate("zero")

        assert queue.dump() == before if script else queue.left() == set(), step
        if not failed:
            return


def test_cancelled_rows_go_back_as_failed_with_their_reason(queue: QueueDatabase) -> None:
    queue.migrate()
    queue.run("""
        UPDATE notifications_queue SET status = 'cancelled', reason = 'irrelevant',
        error_message = 'The invoice is paid.' WHERE id = 1""")
    queue.run("""
        UPDATE notifications_queue SET status = 'cancelled', reason = 'by_staff' WHERE id = 2""")

    queue.migrate("zero")

    told = "SELECT status, error_message FROM notifications_queue WHERE id < 3 ORDER BY id"
    assert queue.run(told) == [
        ("failed", "cancelled: irrelevant: The invoice is paid."),
        ("failed", "cancelled: by_staff: timeout"),
    ]
    with pytest.raises(IntegrityError, match=CHECK):
        queue.run("UPDATE notifications_queue SET status = 'cancelled'")


def test_a_fresh_queue_is_dropped_on_the_way_back(fresh: QueueDatabase) -> None:
    fresh.run("INSERT INTO workers (name, kind, recorded) VALUES ('one', 'pass', 0)")

    fresh.migrate("zero")

    assert fresh.left() == set()


def test_a_fresh_queue_that_holds_rows_is_not_dropped(fresh: QueueDatabase) -> None:
    fresh.run(
        "INSERT INTO notifications_queue (type, payload, status) VALUES ('x', '{}', 'cancelled')"
    )
    fresh.migrate("0001_initial")
    before = fresh.dump()

    with pytest.raises(adoption.Refused, match="DELETE FROM notifications_queue"):
        fresh.migrate("zero")

    assert fresh.dump() == before


def test_both_legacies_are_adopted_in_one_database_and_handed_back(make: Make) -> None:
    database = make(INVITES, QUEUE)
    before = database.dump()
    database.migrate_app("invites", "0024_failures_by_cause")
    database.migrate()

    database.migrate("zero")
    database.migrate_app("invites", "zero")

    assert database.dump() == before
