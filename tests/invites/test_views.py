"""The two addresses of the club's cron and monitor, with their shapes, secrets and statuses."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from invites.models import Invite
from jobs.models import JobRun
from tests.invites.factories import InviteFactory, make_invites
from tests.providers.faults import Fault, fail_next
from tests.providers.server import ProviderServer

STATS = "/api/admin/invite-stats.json"
RETRY = "/api/admin/retry-invites.json"
SECRET = "a-secret-of-the-tests"
IN_EACH_PLACE = [
    {"headers": {"authorization": f"Bearer {SECRET}"}},
    {"headers": {"x-cron-secret": SECRET}},
    {"query_params": {"secret": SECRET}},
]
WRONG = [
    {},
    {"headers": {"authorization": "Bearer wrong"}},
    {"headers": {"authorization": "Bearer "}},
    {"headers": {"authorization": SECRET}},
    {"headers": {"x-cron-secret": ""}},
    {"query_params": {"secret": "ungültig"}},
    {"query_params": {"secret": ""}},
]


@pytest.fixture
def caller() -> Client:
    return Client()


@pytest.mark.django_db
@pytest.mark.parametrize("place", IN_EACH_PLACE)
def test_counts_the_invites_for_who_carries_the_secret(caller: Client, place: Any) -> None:
    make_invites(2)
    InviteFactory(status=Invite.Status.FAILED)
    InviteFactory(status=Invite.Status.PROCESSING)
    InviteFactory(status=Invite.Status.ACCEPTED)

    answer = caller.get(STATS, **place)

    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["counts"] == {
        "pending": 3, "failed": 1, "sent": 0, "accepted": 1, "processing": 1, "cancelled": 0,
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", [STATS, RETRY])
@pytest.mark.parametrize("place", WRONG)
def test_answers_the_same_401_to_everybody_else(caller: Client, path: str, place: Any) -> None:
    answer = caller.get(path, **place)

    assert answer.status_code == 401
    assert answer.content == b'{"ok": false, "error": "Unauthorized"}'


@pytest.mark.django_db
@pytest.mark.parametrize("path", [STATS, RETRY])
def test_an_unset_secret_closes_the_door(caller: Client, settings: Settings, path: str) -> None:
    settings.CRON_SECRET = ""

    answer = caller.get(path, headers={"x-cron-secret": ""})

    assert answer.status_code == 503
    assert "CRON_SECRET is not set" in answer.json()["error"]


@pytest.mark.django_db
def test_the_previous_secret_opens_during_a_rotation(caller: Client, settings: Settings) -> None:
    settings.CRON_SECRET_PREVIOUS = "the-one-before"

    answer = caller.get(STATS, headers={"x-cron-secret": "the-one-before"})

    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_setting_closes_the_address_to_secrets_in_queries(
    caller: Client, settings: Settings
) -> None:
    settings.ALLOW_QUERY_SECRET = False

    answer = caller.get(STATS, query_params={"secret": SECRET})

    assert answer.status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "post"])
def test_sends_the_due_invites_and_answers_line_by_line(
    caller: Client, provider: ProviderServer, method: str
) -> None:
    sent = InviteFactory()
    refused = InviteFactory(enquiry__email="not-an-address")

    answer = getattr(caller, method)(RETRY, headers={"x-cron-secret": SECRET})

    body = answer.json()
    lines = {line["invite_id"]: line for line in body["results"]}
    assert (answer.status_code, body["ok"], body["processed"]) == (200, True, 2)
    assert lines[str(sent.pk)]["resend_id"] == provider.resend.accepted[0].id
    assert lines[str(sent.pk)]["dryRun"] is False
    assert "no e-mail address" in lines[str(refused.pk)]["error"]


@pytest.mark.django_db(transaction=True)
def test_tells_of_a_dry_run(caller: Client, settings: Settings) -> None:
    settings.RESEND_DRY_RUN = True
    invite = InviteFactory()

    answer = caller.get(RETRY, headers={"x-cron-secret": SECRET})

    line = {"invite_id": str(invite.pk), "ok": True, "resend_id": None, "dryRun": True}
    assert answer.json()["results"] == [line]


@pytest.mark.django_db(transaction=True)
def test_leaves_a_run_that_tells_who_started_it(caller: Client, provider: ProviderServer) -> None:
    caller.get(RETRY, headers={"x-cron-secret": SECRET})

    run = JobRun.objects.get()
    assert (run.job, run.status, run.trigger) == ("retry_invites", "succeeded", "http")


@pytest.mark.django_db(transaction=True)
def test_answers_503_where_the_key_is_missing(caller: Client, settings: Settings) -> None:
    settings.RESEND_API_KEY = ""
    invite = InviteFactory()

    answer = caller.get(RETRY, headers={"x-cron-secret": SECRET})

    invite.refresh_from_db()
    assert answer.status_code == 503
    assert "RESEND_API_KEY" in answer.json()["error"]
    assert invite.status == Invite.Status.PENDING


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", [STATS, RETRY])
def test_head_does_no_work(caller: Client, provider: ProviderServer, path: str) -> None:
    InviteFactory()

    caller.head(path, headers={"x-cron-secret": SECRET})

    assert provider.resend.calls == []
    assert not JobRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_message_that_fails_is_an_answer_not_an_error(
    caller: Client, provider: ProviderServer
) -> None:
    provider.resend.faults = fail_next(Fault.server_error())
    InviteFactory()

    answer = caller.get(RETRY, headers={"x-cron-secret": SECRET})

    assert answer.status_code == 200
    assert answer.json()["results"][0]["ok"] is False
