"""The queue's table as the user's notes give it."""

from django.db import models

from egac.adoption import OlderTable

QUEUE = OlderTable(
    model="Notification",
    base="""
CREATE TABLE IF NOT EXISTS notifications_queue (
  id SERIAL PRIMARY KEY,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  payload JSONB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  error_message TEXT,
  created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  scheduled_for TIMESTAMPTZ
)""",
    rules={
        "notifications_queue_batch_fkey": (
            "FOREIGN KEY (batch_id) REFERENCES email_batches(id) ON DELETE SET NULL"
        ),
    },
)

# The notes' own two. A model cannot say the second: its name is longer than Django allows.
CONTRACT_INDEXES = (
    models.Index(fields=["status"], name="idx_notifications_queue_status"),
    models.Index(fields=["due_at"], name="idx_notifications_queue_scheduled_for"),
)
