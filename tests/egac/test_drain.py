"""One pass over due rows, against a provider that speaks HTTP."""

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac.channels import Channel, pause
from egac.delivery import MessageAudit, Suppression
from egac.drain import Drain
from egac.providers.resend import EMAIL
from egac.record import Record
from invites.models import Enquiry, Invite
from tests.invites.factories import InviteFactory, make_invites
from tests.providers.faults import Fault, always, fail_next
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

Status = Invite.Status


def drain(**options: Any) -> Drain:
    return Drain(Invite.objects.all(), EMAIL, **options)


def count(**fields: Any) -> int:
    return Invite.objects.filter(**fields).count()


def untouched(rows: int) -> bool:
    """Say whether so many rows wait as if nobody had ever claimed them."""
    waiting = Invite.objects.filter(status=Status.PENDING, attempts=0, orphaned=False)
    return waiting.filter(lease_owner=None, lease_ends_at=None).count() == rows


def test_sends_what_is_due_and_tells_of_each(provider: ProviderServer) -> None:
    make_invites(20)
    told: list[Record] = []

    note = drain(concurrency=4, on_records=told.extend).run()

    assert note == ""
    assert sum(record.is_sent for record in told) == count(status=Status.SENT) == 20
    assert len(provider.resend.accepted) == 20


def test_rows_that_cannot_be_sent_hold_up_nobody_behind_them(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 4  # so that few are claimed at a time
    make_invites(30)
    Enquiry.objects.update(email="nobody")
    InviteFactory.create()

    drain(concurrency=2).run()

    assert count(status=Status.FAILED, reason="invalid") == 30
    assert count(status=Status.SENT) == 1


def test_stops_at_its_limit(provider: ProviderServer) -> None:
    make_invites(9)

    drain(limit=4, concurrency=3).run()

    assert count(status=Status.SENT) == 4
    assert untouched(5)


def test_gives_back_what_it_claimed_when_told_to_stop(provider: ProviderServer) -> None:
    make_invites(9)
    stop = threading.Event()

    provider.resend.faults = lambda number, payload: stop.set()  # during the first call

    drain(stop=stop).run()

    assert count(status=Status.SENT) == len(provider.resend.calls) == 1
    assert untouched(8)


def test_a_suppressed_recipient_uses_up_no_limit(provider: ProviderServer) -> None:
    make_invites(4)
    Suppression.objects.create(address=Invite.objects.in_order()[1].recipient, reason="bounced")

    drain(limit=3, concurrency=3).run()

    assert count(status=Status.CANCELLED, reason="suppressed", call_started_at=None) == 1
    assert count(status=Status.SENT) == 3


@pytest.mark.parametrize("fallen", ["suppressed", "irrelevant"])
def test_what_perhaps_went_and_is_not_to_go_again_is_for_a_person(
    provider: ProviderServer, fallen: str
) -> None:
    row = InviteFactory.create(in_doubt_since=Now(), attempts=1)
    if fallen == "suppressed":
        Suppression.objects.create(address=row.recipient, reason="bounced")
    else:
        Invite.objects.update(accepted_at=Now())

    drain().run()

    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.FAILED, "uncertain")
    assert "The provider may have accepted it" in str(row.last_error)
    assert provider.resend.calls == []


def test_begins_no_call_after_its_time(provider: ProviderServer) -> None:
    make_invites(3)

    drain(until=time.monotonic()).run()

    assert provider.resend.calls == []
    assert untouched(3)


def test_a_paused_channel_costs_nothing_and_is_told(provider: ProviderServer) -> None:
    make_invites(3)
    pause("email", by="Ana")

    note = drain().run()

    assert note == "The e-mail channel was paused by Ana."
    assert provider.resend.calls == []
    assert untouched(3)


def test_uses_no_slot_from_before_the_provider_closed_the_channel(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 4
    make_invites(8)
    provider.resend.faults = always(Fault.daily_quota())

    note = drain(concurrency=8).run()

    assert "today's quota" in note
    assert len(provider.resend.calls) == 1
    assert count(status=Status.PENDING, attempts=0) == 8


def test_a_provider_that_is_down_costs_the_failures_that_show_it_and_no_more(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 8  # so that each outcome is recorded before the next call
    make_invites(20)
    provider.resend.faults = always(Fault.unavailable())

    note = drain(concurrency=1).run()

    assert "the provider is failing" in note
    assert len(provider.resend.calls) == 5
    assert count(attempts=1) == 5
    assert count(status=Status.PENDING) == 20


def test_probes_while_it_is_down_cost_no_attempt(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 8
    make_invites(5)
    provider.resend.faults = always(Fault.unavailable())
    drain(concurrency=1).run()
    Invite.objects.update(due_at=None)
    for _ in range(3):
        Channel.objects.update(held_until=Now())
        drain(concurrency=4).run()

    assert len(provider.resend.calls) == 8
    assert count(attempts=1) == 5


def test_a_row_that_breaks_its_sender_harms_nobody(provider: ProviderServer) -> None:
    broken = InviteFactory.create()
    make_invites(5)

    def send(message: Mapping[str, Any], key: str) -> str:
        if str(broken.pk) in key:
            raise KeyError("a bug of ours")
        return EMAIL.send(message, key)

    Drain(Invite.objects.all(), replace(EMAIL, send=send), concurrency=2).run()

    broken.refresh_from_db()
    assert count(status=Status.SENT) == 5
    assert (broken.status, broken.attempts) == (Status.PENDING, 1)
    assert (broken.last_error or {})["message"] == "Sending broke: KeyError."


def test_an_answer_that_no_column_can_hold_harms_nobody(provider: ProviderServer) -> None:
    make_invites(3)
    provider.resend.faults = fail_next(Fault.error(422, "validation_error", "No \0 \ud800 such."))

    drain().run()

    assert count(status=Status.FAILED, reason="permanent") == 1
    assert count(status=Status.SENT) == 2


def test_a_row_whose_sender_died_is_called_with_no_other_in_hand(provider: ProviderServer) -> None:
    make_invites(4, orphaned=True)
    make_invites(4)
    provider.resend.latency = 0.03

    drain(concurrency=4).run()

    calls = provider.resend.calls
    assert len(calls) == 8
    ends = [call.finished_at or 0 for call in calls]
    assert all(ends[n] <= calls[n + 1].started_at for n in range(4, 7))
    assert max(ends[:4]) <= calls[4].started_at


def test_ends_rows_that_wait_without_an_attempt_left(provider: ProviderServer) -> None:
    make_invites(2, attempts=3)
    InviteFactory.create(status=Status.PROCESSING, attempts=3, updated_at=Now() - drain().lease * 2)

    drain().run()

    assert provider.resend.calls == []
    assert count(status=Status.FAILED, reason="exhausted") == 3


def test_paces_its_calls(provider: ProviderServer, settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 20
    make_invites(10)

    drain(concurrency=8).run()

    starts = [call.started_at for call in provider.resend.calls]
    assert starts[-1] - starts[0] > 9 * 0.05 * 0.9
    assert all(later - earlier > 0.01 for earlier, later in itertools.pairwise(starts))


def test_audits_how_long_a_call_took(provider: ProviderServer) -> None:
    InviteFactory.create()
    provider.resend.latency = 0.05

    drain().run()

    assert 50 <= (MessageAudit.objects.get().duration_ms or 0) < 2000
