"""By what the list of a million messages is found: its indexes, and the words of a message."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from egac.search import Words

# Not payload__channel: that is neither true nor false of a payload without a channel.
IS_WHATSAPP = Q(payload__contains={"channel": "whatsapp"})
ENDED_UNSENT = Q(status__in=["failed", "cancelled"])
MOST_TYPES = 100


def in_context(name: str) -> Any:
    """Return a text of a message's context."""
    return KeyTextTransform(name, KeyTransform("context", "payload"))


WORDS = Words(in_context("name"), in_context("invoice_number"))
INDEXES = (
    GinIndex(WORDS, name="queue_by_words"),
    # Of what is rare: what most messages are is met soon in the order of the list.
    models.Index(fields=["status", "id"], name="queue_by_status", condition=ENDED_UNSENT),
    models.Index(fields=["type", "id"], name="queue_by_type"),
    models.Index(
        fields=["reason", "id"], name="queue_by_reason", condition=Q(reason__isnull=False)
    ),
    models.Index(fields=["id"], name="queue_with_error", condition=Q(last_error__isnull=False)),
    models.Index(fields=["id"], name="queue_for_whatsapp", condition=IS_WHATSAPP),
)

# From one type to the next by the index: a DISTINCT reads every row.
TYPES_THERE = """
WITH RECURSIVE there AS (
  (SELECT type FROM notifications_queue ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT type FROM notifications_queue WHERE type > there.type ORDER BY type LIMIT 1)
  FROM there WHERE there.type IS NOT NULL
) SELECT type FROM there WHERE type IS NOT NULL AND type <> ALL(%s) LIMIT %s
"""


def other_types(known: list[str]) -> list[str]:
    """Return the types in the queue that are none of these, MOST_TYPES at most."""
    with connection.cursor() as cursor:
        cursor.execute(TYPES_THERE, [known, MOST_TYPES])
        return [name for (name,) in cursor.fetchall()]
