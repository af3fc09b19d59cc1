"""The main job against a provider that speaks Resend over HTTP and fails in every way."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac.delivery import MessageAudit, Suppression
from egac.drain import Drain
from egac.models import Channel
from invites.models import Invite
from invites.services import retry_invites
from tests.egac.threads import in_a_thread, someone_waits, uncommitted
from tests.invites.factories import EnquiryFactory, InviteFactory, make_invites
from tests.providers.client import eventually
from tests.providers.faults import Fault, always, fail_next
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


def let_time_pass() -> None:
    """Bring every next try to now, and open what the provider asked to hold."""
    Invite.objects.filter(status=Status.PENDING).update(due_at=Now())
    Channel.objects.update(held_until=F("held_until") - timedelta(days=40))


def test_sends_every_pending_invite_once(provider: ProviderServer) -> None:
    make_invites(30)

    result = retry_invites()

    assert result["processed"] == 30
    assert len({accepted.key for accepted in provider.resend.accepted}) == 30
    assert Invite.objects.filter(status=Status.SENT, attempts=1).count() == 30


def test_a_second_pass_sends_nothing(provider: ProviderServer) -> None:
    make_invites(3)
    retry_invites()

    result = retry_invites()

    assert result["results"] == []
    assert len(provider.resend.calls) == 3


def test_carries_recipient_subject_and_personal_link(provider: ProviderServer) -> None:
    invite = InviteFactory(enquiry__email=" Amelia@Club.example ", enquiry__name="Amelia")

    retry_invites()

    payload = provider.resend.accepted[0].payload
    assert payload["to"] == ["Amelia@Club.example"]
    assert f"https://club.example/bookings?invite={invite.token}" in payload["text"]
    assert f"https://club.example/bookings?invite={invite.token}" in payload["html"]
    assert "Hello Amelia" in payload["text"]


def test_comes_through_errors_and_rate_limits_and_ends_sent(provider: ProviderServer) -> None:
    make_invites(25)
    calls = iter(range(1, 10_000))

    def every_third_and_fifth(number: int, payload: object) -> Fault | None:
        number = next(calls)
        if number % 3 == 0:
            return Fault.server_error()
        return Fault.rate_limited(retry_after=30) if number % 5 == 0 else None

    provider.resend.faults = every_third_and_fifth
    for _ in range(60):
        retry_invites()
        let_time_pass()

    sent = Invite.objects.filter(status=Status.SENT).count()
    failed = Invite.objects.filter(status=Status.FAILED)
    assert sent + failed.count() == 25
    assert sent >= 20
    assert len(provider.resend.accepted) == sent


def test_waits_for_a_short_hold_and_goes_on(provider: ProviderServer) -> None:
    make_invites(3)
    provider.resend.faults = fail_next(Fault.rate_limited(retry_after=1))

    result = retry_invites()

    assert [line["ok"] for line in result["results"]].count(True) >= 2
    assert result["note"] == ""


def test_fails_at_once_with_the_words_of_the_provider(provider: ProviderServer) -> None:
    invite = InviteFactory()
    provider.resend.faults = fail_next(Fault.error(422, "validation_error", "Invalid `to` field."))

    retry_invites()

    invite.refresh_from_db()
    assert (invite.status, invite.reason, invite.attempts) == (Status.FAILED, "permanent", 1)
    assert "Invalid `to` field." in invite.last_error["message"]
    assert len(provider.resend.calls) == 1


def test_a_refused_key_closes_the_channel_and_burns_no_attempt(
    provider: ProviderServer, settings: Settings
) -> None:
    make_invites(20)
    settings.WORKER_CONCURRENCY = 1
    provider.resend.bad_keys.add("re_for_tests")

    result = retry_invites()

    assert "refuses our key" in result["note"]
    assert len(provider.resend.calls) == 1
    assert Invite.objects.filter(status=Status.PENDING, attempts=0).count() == 20


def test_repeats_a_hang_with_the_same_key_and_the_same_bytes(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    invite = InviteFactory(enquiry__name="Zoë O'Connor")
    provider.resend.faults = fail_next(Fault.hang_after_accepting(5))

    retry_invites()
    for _ in range(3):  # the provider may not have noticed yet that the first caller hung up
        let_time_pass()
        retry_invites()

    calls = provider.resend.calls
    assert len(calls) >= 2
    assert len({(call.headers["idempotency-key"], call.body) for call in calls}) == 1
    assert len(provider.resend.accepted) == 1
    invite.refresh_from_db()
    assert (invite.status, invite.attempts) == (Status.SENT, 1)


def test_gives_up_after_the_last_attempt(provider: ProviderServer) -> None:
    invite = InviteFactory()
    provider.resend.faults = always(Fault.server_error())

    for _ in range(5):
        retry_invites()
        let_time_pass()

    invite.refresh_from_db()
    assert (invite.status, invite.reason, invite.attempts) == (Status.FAILED, "exhausted", 3)
    assert len(provider.resend.calls) == 3


def test_retries_a_failed_invite_of_the_older_program(provider: ProviderServer) -> None:
    invite = InviteFactory(status=Status.FAILED, attempts=1)

    retry_invites()

    invite.refresh_from_db()
    assert (invite.status, invite.attempts) == (Status.SENT, 2)


def test_leaves_a_failed_invite_with_a_reason_to_a_person(provider: ProviderServer) -> None:
    InviteFactory(status=Status.FAILED, attempts=1, reason="permanent")

    retry_invites()

    assert provider.resend.calls == []


@pytest.mark.parametrize("address", [None, "", "  ", "not-an-address"])
def test_an_unusable_address_ends_invalid(provider: ProviderServer, address: str | None) -> None:
    invite = InviteFactory(enquiry__email=address)

    retry_invites()

    invite.refresh_from_db()
    assert (invite.status, invite.reason, invite.attempts) == (Status.FAILED, "invalid", 0)
    assert provider.resend.calls == []


def test_an_invite_without_an_enquiry_ends_invalid(provider: ProviderServer) -> None:
    invite = InviteFactory(enquiry=None)

    retry_invites()

    invite.refresh_from_db()
    assert invite.reason == "invalid"
    assert "enquiry is gone" in invite.last_error["message"]


def test_never_writes_to_a_suppressed_address(provider: ProviderServer) -> None:
    invite = InviteFactory(enquiry__email="Bounced@club.example")
    Suppression.objects.create(address="bounced@CLUB.example", reason="a hard bounce")

    retry_invites()

    invite.refresh_from_db()
    assert (invite.status, invite.reason) == (Status.CANCELLED, "suppressed")
    assert provider.resend.calls == []


def test_audits_every_attempt(provider: ProviderServer) -> None:
    invite = InviteFactory()
    provider.resend.faults = fail_next(Fault.server_error())

    retry_invites()
    let_time_pass()
    retry_invites()

    lines = MessageAudit.objects.filter(source="invites", source_id=invite.pk).order_by("at")
    told = [(line.attempt, line.counted, line.outcome) for line in lines]
    assert told == [(1, True, "refused"), (2, True, "accepted")]
    assert lines[1].provider_message_id == provider.resend.accepted[0].id


def test_a_future_invite_waits(provider: ProviderServer) -> None:
    InviteFactory(due_at=Now() + timedelta(seconds=60))

    retry_invites()

    assert provider.resend.calls == []


def test_diverts_and_keeps_who_it_was_for(provider: ProviderServer, settings: Settings) -> None:
    settings.DIVERT_EMAIL_TO = "staging@club.example"
    InviteFactory(enquiry__email="amelia@club.example")

    retry_invites()

    payload = provider.resend.accepted[0].payload
    assert payload["to"] == ["staging@club.example"]
    assert payload["headers"] == {"X-Original-To": "amelia@club.example"}


def test_a_dry_run_keeps_the_message_and_sends_nothing(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_DRY_RUN = True
    invite = InviteFactory()

    retry_invites()
    retry_invites()

    invite.refresh_from_db()
    assert (invite.status, invite.attempts) == (Status.PENDING, 0)
    assert json.loads(invite.preview)["to"] == [invite.enquiry.email]
    assert provider.resend.calls == []
    assert MessageAudit.objects.count() == 0


def test_an_accepted_invite_is_never_sent(provider: ProviderServer) -> None:
    InviteFactory(accepted_at=Now())
    InviteFactory(status=Status.ACCEPTED, enquiry=EnquiryFactory())

    retry_invites()

    assert provider.resend.calls == []


def test_18_waits_for_a_colleague_who_looks_at_the_same_row(provider: ProviderServer) -> None:
    invite = InviteFactory()

    with ThreadPoolExecutor(1) as pool:
        with uncommitted(lambda: Invite.objects.select_for_update().get()):
            sent = pool.submit(in_a_thread(lambda: retry_invites([invite.pk])))
            assert eventually(someone_waits, seconds=20)
        result = sent.result(20)

    assert [line["ok"] for line in result["results"]] == [True]


def test_18_tries_once_more_where_a_colleague_looked_just_before_the_claim(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite, run, runs = InviteFactory(), Drain.run, count()

    def run_first_beside_a_look(drain: Drain) -> str:
        if next(runs):
            return run(drain)
        with uncommitted(lambda: Invite.objects.select_for_update().get()):
            return run(drain)

    monkeypatch.setattr(Drain, "run", run_first_beside_a_look)

    result = retry_invites([invite.pk])

    assert [line["ok"] for line in result["results"]] == [True]
    assert len(provider.resend.accepted) == 1
