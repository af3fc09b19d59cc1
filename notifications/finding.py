"""By what the list of a million messages is narrowed: indexes that cost a drain next to nothing.

A message enters each index of its table with every change of its state. So those of a word that
most messages share are bloom filters over pages, and those of what is rare hold nothing else.
"""

from django.contrib.postgres.indexes import BrinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from egac.causes import NEWEST_FIRST, Fingerprint, JsonText

# Not payload__channel: that is neither true nor false of a payload without a channel.
IS_WHATSAPP = Q(payload__contains={"channel": "whatsapp"})
CAUSE = Fingerprint("last_error", JsonText("payload", path="channel"))
CHANNEL = KeyTextTransform("channel", "payload")
ENDED_UNSENT = Q(status__in=["failed", "cancelled"])
# As they were when the index was made: it serves the question for what is none of these and more.
OUR_TYPES = (
    "booking_confirmation",
    "class_notification",
    "class_host_notification",
    "class_cancelled",
    "invoice_issued",
    "payment_reminder",
    "payment_overdue",
    "access_grace",
    "access_locked",
    "access_restored",
    "payment_received",
    "staff_alert",
)
INDEXES = (
    models.Index(fields=["status", "id"], name="queue_by_status", condition=ENDED_UNSENT),
    models.Index(
        fields=["reason", "id"], name="queue_by_reason", condition=Q(reason__isnull=False)
    ),
    models.Index(fields=["id"], name="queue_with_error", condition=Q(last_error__isnull=False)),
    models.Index(fields=["id"], name="queue_of_other_programs", condition=~Q(type__in=OUR_TYPES)),
    BrinIndex(
        fields=["type"], opclasses=["text_bloom_ops"], autosummarize=True, name="queue_by_type"
    ),
    BrinIndex(OpClass(CHANNEL, "text_bloom_ops"), autosummarize=True, name="queue_by_channel"),
)
OF_FAILURES = (
    models.Index(CAUSE, NEWEST_FIRST, name="queue_failed_by_cause", condition=Q(status="failed")),
    models.Index(fields=["canary"], name="queue_under_a_canary", condition=Q(canary__isnull=False)),
)
