"""/metrics: guarded, complete, and cheap however many rows have ended."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from egac import channels
from egac.models import MessageAudit
from jobs.models import Alert, JobRun
from jobs.services import pause_job
from notifications.models import Notification
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp

pytestmark = pytest.mark.django_db

TOKEN = "metrics-metrics-metrics"
Figures = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def page() -> str:
    answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def figures(name: str, *labels: str) -> Figures:
    """Return the values of one family by the values of these labels."""
    families = {family.name: family for family in text_string_to_metric_families(page())}
    samples = families[f"egac_{name}"].samples
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in samples}


def attempt(outcome: str = "accepted", **fields: Any) -> MessageAudit:
    return MessageAudit.objects.create(
        **{
            "source": "invites",
            "source_id": "1",
            "generation": 1,
            "attempt": 1,
            "counted": True,
            "channel": "email",
            "recipient": "amelia@families.example",
            "provider": "resend",
            "outcome": outcome,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("header", "status"), [("", 401), ("Bearer wrong", 401), (f"Basic {TOKEN}", 401)]
)
def test_is_shut_to_whoever_carries_no_token(client: Client, header: str, status: int) -> None:
    assert client.get("/metrics", headers={"authorization": header}).status_code == status


def test_an_unset_token_closes_the_door(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    answer = client.get("/metrics", headers={"authorization": "Bearer "})

    assert answer.status_code == 503
    assert "METRICS_TOKEN is not set" in answer.json()["error"]


def test_counts_open_rows_by_status_and_channel() -> None:
    queue(email())
    queue(whatsapp(), status="failed")
    InviteFactory(status="processing")

    found = figures("outgoing_rows", "table", "channel", "status")

    assert found["notifications_queue", "email", "pending"] == 1
    assert found["notifications_queue", "whatsapp", "failed"] == 1
    assert found["notifications_queue", "email", "failed"] == 0
    assert found["invites", "email", "processing"] == 1


def test_estimates_how_many_rows_have_ended() -> None:
    Notification.objects.bulk_create(
        Notification(type="t", payload=email(), status="completed") for _ in range(50)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_queue")

    assert (
        figures("outgoing_rows_estimate", "table", "status")["notifications_queue", "completed"]
        == 50
    )


def test_says_for_how_long_the_oldest_due_row_waits() -> None:
    row = queue(email())
    Notification.objects.filter(pk=row.pk).update(updated_at=Now() - timedelta(minutes=10))
    queue(email(), due_at=Now() - timedelta(minutes=1))
    queue(whatsapp(), due_at=Now() + timedelta(hours=1))

    found = figures("oldest_due_seconds", "table", "channel")

    assert found["notifications_queue", "email"] == pytest.approx(600, abs=5)
    assert found["notifications_queue", "whatsapp"] == 0


def test_counts_attempts_by_outcome_within_the_last_hour() -> None:
    attempt()
    attempt()
    attempt("refused", channel="whatsapp", provider="whatsapp")
    attempt(at=Now() - timedelta(hours=2))

    assert figures("attempts_last_hour", "channel", "provider", "outcome") == {
        ("email", "resend", "accepted"): 2,
        ("whatsapp", "whatsapp", "refused"): 1,
    }


def test_tells_how_long_a_provider_takes() -> None:
    for milliseconds in (100, 200, 300):
        attempt(duration_ms=milliseconds)
    attempt(duration_ms=None)

    assert figures("provider_seconds", "provider", "quantile")["resend", "0.5"] == pytest.approx(
        0.2
    )


def test_tells_which_channels_are_shut() -> None:
    channels.named("email")
    channels.pause("whatsapp", by="mia")

    assert figures("channel_open", "channel") == {("email",): 1, ("whatsapp",): 0}


def test_tells_of_runs_and_of_late_and_paused_jobs() -> None:
    ran_at = datetime.now(UTC) - timedelta(hours=3)
    JobRun.objects.create(
        job="run_worker_queue",
        exclusive=False,
        trigger="cron",
        status="succeeded",
        business_on=ran_at.date(),
        started_at=ran_at,
        finished_at=ran_at,
        lease_ends_at=ran_at,
    )
    pause_job("retry_invites", by="mia")

    assert figures("job_runs_last_day", "job", "status") == {("run_worker_queue", "succeeded"): 1}
    assert figures("job_late", "job")[("run_worker_queue",)] == 1
    done_at = figures("job_last_done_timestamp_seconds", "job")[("run_worker_queue",)]
    assert done_at == pytest.approx(ran_at.timestamp(), abs=1)
    paused = [job for job, value in figures("job_paused", "job").items() if value]
    assert paused == [("retry_invites",)]


def test_counts_open_alerts_by_their_kind() -> None:
    now = datetime.now(UTC)
    for cause in ("job:retry_invites", "job:run_worker_queue", "failed_invites"):
        Alert.objects.create(cause=cause, opened_at=now, last_seen_at=now)
    Alert.objects.create(cause="job:x", opened_at=now, last_seen_at=now, closed_at=now)

    assert figures("alerts_open", "kind") == {("failed_invites",): 1, ("job",): 2}


def test_every_figure_stands_once_and_says_what_it_is() -> None:
    helps = re.findall(r"^# HELP (\S+) (.+)$", page(), re.MULTILINE)

    assert len(helps) == len({name for name, _ in helps}) >= 11
    assert all(about for _, about in helps)


def test_23_asks_a_bounded_number_of_bounded_questions() -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page()

    statements = [query["sql"] for query in asked]
    assert len(statements) < 30
    unbounded = [
        sql
        for sql in statements
        if "COUNT(" in sql and not re.search('LIMIT|started_at|"at" >=', sql)
    ]
    assert unbounded == []
    assert not [sql for sql in statements if "'completed'" in sql or "'sent'" in sql]
