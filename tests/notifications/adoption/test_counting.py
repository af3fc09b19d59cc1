"""The figures of finished messages begin with what an adopted queue holds."""

from django.db import connections

from tests.notifications.adoption.queue_table import QueueDatabase

KNOWN = "SELECT channel, status, sum(count)::int FROM finished_rows GROUP BY 1, 2 ORDER BY 1, 2"
COUNTED = """
    SELECT CASE WHEN payload ->> 'channel' = 'whatsapp' THEN 'whatsapp' ELSE 'email' END, status,
        count(*)::int
    FROM notifications_queue WHERE status IN ('completed', 'failed', 'cancelled')
    GROUP BY 1, 2 ORDER BY 1, 2"""


def test_what_the_older_worker_ended_is_counted(queue: QueueDatabase) -> None:
    queue.migrate()

    assert queue.run(KNOWN) == queue.run(COUNTED) != []


def test_what_ends_before_the_older_rows_are_counted_is_counted_once(
    queue: QueueDatabase,
) -> None:
    def end_one(run: object, sql: str, *rest: object) -> object:
        if "AS counted" in sql:
            with connections[queue.alias].cursor() as cursor:
                cursor.connection.execute(
                    "INSERT INTO notifications_queue (type, payload, status) "
                    "VALUES ('x', '{}', 'failed')"
                )
        return run(sql, *rest)  # type: ignore[operator]

    with connections[queue.alias].execute_wrapper(end_one):
        queue.migrate()

    assert queue.run(KNOWN) == queue.run(COUNTED)


def test_the_way_back_forgets_the_figures(queue: QueueDatabase) -> None:
    queue.migrate()

    queue.migrate("0004_find_in_long_lists")

    assert queue.run(KNOWN) == []
