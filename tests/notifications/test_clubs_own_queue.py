"""The club's own queue as the older worker left it, adopted, and drained by ours."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from egac.delivery import MessageAudit
from notifications.models import Notification
from notifications.passes import CHANNELS, run_pass
from tests.notifications.factories import sql
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status
DATA = Path(__file__).resolve().parents[1] / "data"
LEGACIES = [DATA / "queue_from_seed.sql", DATA / "egac_before_send_attempts.sql"]
TABLES = ("enquiries", "invites", "notifications_queue")
STATES_BY_TYPE = "SELECT type, payload->>'to', status, attempts, reason FROM notifications_queue"


def send(limit: int = 1000, channels: Sequence[str] = tuple(CHANNELS)) -> None:
    run_pass(limit=limit, seconds=30, channels=channels)


@pytest.fixture(scope="module")
def adopted_template(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Make a database of both legacy files and migrate the whole of it."""
    test_name = connection.settings_dict["NAME"]
    name = f"{test_name}_adopted"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        connection.settings_dict["NAME"] = name
        for legacy in LEGACIES:
            sql(legacy.read_text())
        call_command("migrate", verbosity=0)
        connection.close()
        connection.settings_dict["NAME"] = test_name
        yield name
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def adopted(
    provider: ProviderServer, adopted_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProviderServer]:
    """Turn to a copy of the club's adopted database; return the provider."""
    name = f"{adopted_template}_copy"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {adopted_template}")
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        yield provider
        connection.close()
        monkeypatch.undo()
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def club_rows(which: str) -> dict[int, dict[str, Any]]:
    rows = sql(f"SELECT id, to_jsonb(queued)::text FROM notifications_queue queued WHERE {which}")
    return {key: json.loads(row) for key, row in rows}


def test_the_worker_drains_the_clubs_own_queue(adopted: ProviderServer) -> None:
    send()

    states = {(to or type): state for type, to, *state in sql(STATES_BY_TYPE)}
    assert states == {
        "amelia.hart@club.example": ["completed", 1, None],
        "o.connor@club.example": ["completed", 1, None],
        "stuck@club.example": ["completed", 2, None],
        "+447700900123": ["completed", 2, None],
        "zoe@club.example": ["pending", 0, None],
        "payment_reminder": ["failed", 0, "invalid"],
        "carrier_pigeon": ["failed", 0, "invalid"],
        "done@club.example": ["completed", 1, None],
        "late@club.example": ["failed", 5, None],
        "12345": ["failed", 5, None],
    }
    assert len(adopted.resend.accepted) == 3
    assert len(adopted.whatsapp.accepted) == 1


def test_the_clubs_broken_rows_say_what_is_missing(adopted: ProviderServer) -> None:
    send()

    told = "SELECT type, error_message FROM notifications_queue WHERE reason = 'invalid' ORDER BY 1"
    assert sql(told) == [
        ("carrier_pigeon", "Its payload names the channel None. Write email or whatsapp."),
        (
            "payment_reminder",
            "Its payload names no recipient: write an e-mail address as its to.",
        ),
    ]


def test_what_had_ended_before_stays_as_it_was(adopted: ProviderServer) -> None:
    ended = "status IN ('completed', 'failed')"
    before = club_rows(ended)

    send()

    after = club_rows(ended)
    assert len(before) == 3
    assert {key: after[key] for key in before} == before


def test_staff_can_retry_what_had_failed_before(adopted: ProviderServer) -> None:
    late = Notification.objects.filter(payload__to="late@club.example")

    late.requeue()
    send()

    assert [(row.status, row.attempts, row.generation) for row in late] == [("completed", 1, 2)]


def test_a_whatsapp_that_another_program_left_half_sent_is_for_a_person(
    adopted: ProviderServer,
) -> None:
    sql("""
        UPDATE notifications_queue SET status = 'processing', updated_at = now() - interval '1 day'
        WHERE payload->>'channel' = 'whatsapp' AND status = 'pending'""")

    send(channels=["whatsapp"])

    [row] = Notification.objects.for_whatsapp().filter(attempts=1)
    assert (row.status, row.reason) == (Status.FAILED, "uncertain")
    assert row.in_doubt_since
    assert row.last_error.startswith("Another program began to send it")
    assert adopted.whatsapp.calls == []
    assert not MessageAudit.objects.filter(source_id=row.pk).exists()


def test_a_row_that_another_program_is_still_sending_is_left_to_it(
    adopted: ProviderServer,
) -> None:
    sql("UPDATE notifications_queue SET updated_at = now() WHERE status = 'processing'")

    send()

    assert sql("SELECT payload->>'to' FROM notifications_queue WHERE status = 'processing'") == [
        ("stuck@club.example",)
    ]


def test_both_apps_work_on_the_adopted_database(adopted: ProviderServer) -> None:
    before = [sql(f"SELECT count(*) FROM {table}") for table in TABLES]

    call_command("retry_invites", verbosity=0)
    send()

    assert [sql(f"SELECT count(*) FROM {table}") for table in TABLES] == before
    assert sql("SELECT count(*) FROM message_audit WHERE source = 'invites'")[0][0] > 0
    assert sql("SELECT count(*) FROM message_audit WHERE source = 'notifications_queue'") == [(4,)]
