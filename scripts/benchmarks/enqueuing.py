"""How fast messages are queued."""

import json
import time

from django.db import connection

from notifications.services import Message, enqueue
from scripts.benchmarks import rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import Measure, ratio_of_pairs


def bulk_enqueue(counts: Counts) -> Measure:
    """Measure enqueue() of many messages against a plain INSERT of as many, turn by turn."""
    rows.empty()
    pairs = [
        (_inserted_a_second(counts.enqueued), _enqueued_a_second(counts.enqueued, turn))
        for turn in range(counts.rounds)
    ]
    ratio, plain, enqueued = ratio_of_pairs(pairs)
    made_of = f"{enqueued:.0f} rows/s beside {plain:.0f} of INSERT … SELECT unnest"
    return Measure("bulk enqueue", ratio, made_of, 0.1)


def _enqueued_a_second(count: int, turn: int) -> float:
    messages = [
        Message("payment_reminder", rows.whatsapp_payload(n), key=f"bench/{turn}/{n}")
        for n in range(turn * count, (turn + 1) * count)
    ]
    began = time.perf_counter()
    assert len(enqueue(messages)) == count
    return count / (time.perf_counter() - began)


def _inserted_a_second(count: int) -> float:
    payloads = [json.dumps(rows.whatsapp_payload(n)) for n in range(count)]
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_queue (type, payload) "
            "SELECT 'payment_reminder', told FROM unnest(%s::jsonb[]) AS told",
            [payloads],
        )
    return count / (time.perf_counter() - began)
