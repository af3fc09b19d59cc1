"""A claim of an idle sender asks for the slot of its first call in the same statement."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from egac import channels
from egac.channels import Channel
from egac.slots import Slots
from invites.models import Invite
from tests.invites.factories import make_invites

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def email() -> Channel:
    return channels.named("email")


def claim_with_slot() -> tuple[list[Invite], Slots | None]:
    return Invite.objects.claim_with_slot(
        5, owner="me", lease=timedelta(seconds=30), channel="email"
    )


def test_a_claim_that_takes_rows_is_granted_one_slot_with_them() -> None:
    make_invites(2)
    rested_until = Channel.objects.get().next_slot_at

    rows, slots = claim_with_slot()

    assert len(rows) == 2
    assert slots is not None
    assert (slots.count, slots.is_probe, slots.is_healthy) == (1, False, True)
    assert Channel.objects.get().next_slot_at > rested_until


def test_a_claim_that_takes_nothing_uses_up_no_slot() -> None:
    rested_until = Channel.objects.get().next_slot_at

    assert claim_with_slot() == ([], None)
    assert Channel.objects.get().next_slot_at == rested_until


@pytest.mark.parametrize(
    "state",
    [
        {"paused_at": Now()},
        {"held_until": Now() + timedelta(minutes=1)},
        {"probing": True, "failures": 5},
    ],
)
def test_a_channel_that_is_closed_or_wants_a_probe_grants_no_slot_with_a_claim(
    state: dict[str, Any],
) -> None:
    Channel.objects.update(**state)
    make_invites(1)
    before = Channel.objects.values().get()

    rows, slots = claim_with_slot()

    assert (len(rows), slots) == (1, None)
    assert Channel.objects.values().get() == before
