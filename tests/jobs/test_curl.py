"""The calls of the club's machines, as they type them today: only host and secret have changed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.models import JobRun
from jobs.registry import FUNCTIONS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed."),
]

OLDER = 'curl "${SUPABASE_URL}/api/admin/retry-invites.json?secret=$CRON_SECRET"'
CALLS = {
    "generate-t5-invoices": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/generate-t5-invoices" \
    -H "Authorization: Bearer ${SUPABASE_SERVICE_ROLE_KEY}" \
    -H "Content-Type: application/json" \
    -d '{}'""",
        "SERVICE_ROLE_KEY",
    ),
    "run-escalation-orchestration": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/run-escalation-orchestration" \
    -H "Authorization: Bearer ${CRON_SECRET}" \
    -H "Content-Type: application/json" \
    -d '{"force":false}'""",
        "CRON_SECRET",
    ),
    "schedule-create-zoom": (
        """curl -X POST "${EDGE_FUNCTION_URL}/functions/v1/schedule-create-zoom" \
    -H "Authorization: Bearer ${SCHEDULER_SECRET_TOKEN}" \
    -H "Content-Type: application/json" \
    -d '{"force_invoke":true}'""",
        "SCHEDULER_SECRET_TOKEN",
    ),
    "generate-monthly-invoices": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/generate-monthly-invoices" \
    -H "Authorization: Bearer ${SUPABASE_SERVICE_ROLE_KEY}" \
    -H "Content-Type: application/json" \
    -d '{}'""",
        "SERVICE_ROLE_KEY",
    ),
    "escalate-overdue-bookings": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/escalate-overdue-bookings" \
    -H "Authorization: Bearer ${SUPABASE_SERVICE_ROLE_KEY}" \
    -H "Content-Type: application/json" \
    -d '{}'""",
        "SERVICE_ROLE_KEY",
    ),
    "notification-worker": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/notification-worker" \
    -H "Authorization: Bearer ${SUPABASE_SERVICE_ROLE_KEY}" \
    -H "Content-Type: application/json" \
    -d '{"limit":10}'""",
        "SERVICE_ROLE_KEY",
    ),
    # The workflow of the queue sends neither a body nor its type.
    "process-queue": (
        """curl -X POST "${SUPABASE_URL}/functions/v1/process-queue" \
    -H "Authorization: Bearer ${SUPABASE_SERVICE_ROLE_KEY}\"""",
        "SERVICE_ROLE_KEY",
    ),
}


def typed(command: str, site: dict[str, str]) -> str:
    """Run a line of the shell and return what it prints."""
    ended = subprocess.run(
        ["sh", "-c", command], env=site, capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


@pytest.mark.parametrize("function", CALLS)
def test_a_call_starts_its_job(function: str, site: dict[str, str]) -> None:
    command, secret = CALLS[function]

    told = json.loads(typed(command, site))

    run = JobRun.objects.get()
    assert (told["success"], told["run_id"]) == (True, run.pk)
    assert (run.job, run.trigger, run.actor) == (FUNCTIONS[function].name, "http", secret)


def test_the_older_address_takes_its_secret_in_the_query(site: dict[str, str]) -> None:
    told = json.loads(typed(OLDER, site))

    assert told == {"ok": True, "processed": 0, "results": [], "left": 0, "note": ""}


def test_ten_megabytes_are_refused_before_they_are_read(
    site: dict[str, str], tmp_path: Path
) -> None:
    large = tmp_path / "body"
    large.write_bytes(b"x" * 10_000_000)
    site["BODY"] = str(large)
    url = '"${SUPABASE_URL}/functions/v1/process-queue"'
    bearer = '-H "Authorization: Bearer ${CRON_SECRET}"'

    told = typed(f"curl -s -w ' %{{http_code}}' -X POST {url} {bearer} --data-binary @$BODY", site)

    assert told.endswith(" 413")
    assert not JobRun.objects.exists()
