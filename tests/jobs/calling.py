"""Callers of the functions, and a secret for each of them."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

CRON = "a-secret-of-the-tests"
SECRETS = {
    "CRON_SECRET": CRON,
    "CRON_SECRET_PREVIOUS": "the-secret-before-it",
    "SERVICE_ROLE_KEY": "a-service-role-key",
    "SERVICE_ROLE_KEY_PREVIOUS": "the-role-key-before-it",
    "SCHEDULER_SECRET_TOKEN": "a-scheduler-token",
    "SCHEDULER_SECRET_TOKEN_PREVIOUS": "the-scheduler-token-before-it",
    "JOB_TOKENS": {
        "run_worker_queue": ("a-worker-token-of-its-own", "the-worker-token-before-it"),
        "generate-t5-invoices": ("a-token-for-the-nightly-bills",),
    },
}
WORKER = "notification-worker"


def call(
    function: str, body: Any = "", *, token: str = CRON, method: str = "post", **headers: str
) -> HttpResponse:
    """Call a function as a machine does; an empty token sends no Authorization."""
    if token:
        headers["authorization"] = f"Bearer {token}"
    return Client().generic(
        method.upper(),
        f"/functions/v1/{function}",
        body if isinstance(body, str | bytes) else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
