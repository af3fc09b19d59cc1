"""The threads that call a provider, and what they do once it wants no call."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from egac.calls import Calls, threads
from egac.providers import Cause, ProviderError
from egac.providers.resend import EMAIL
from egac.record import Ended
from invites.models import Invite
from tests.invites.factories import InviteFactory

HANDED_OVER = 5


def rows() -> list[Invite]:
    made = InviteFactory.build_batch(HANDED_OVER, created_at=datetime.now(tz=UTC))
    for row in made:
        row.leased_until = row.slot_until = time.monotonic() + 60
    return list(made)


def ends_where_the_first_fails(cause: Cause) -> list[Ended]:
    """Hand five rows to one thread, whose first call fails for this cause; return all ends."""

    def send(message: Any, key: str) -> str:
        if key == handed[0].idempotency_key:
            raise ProviderError("No.", cause=cause)
        return "re_1"

    handed = rows()
    calls = Calls(replace(EMAIL, send=send), concurrency=1)
    ends: list[Ended] = []
    with threads(1) as pool:
        calls.begin(handed, pool)
        while len(ends) < HANDED_OVER:
            ends += calls.ended(timeout=5)
        calls.let_threads_go()
    return ends


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.closes_the_channel])
def test_nothing_that_waits_is_called_once_the_channel_is_closed(cause: Cause) -> None:
    ends = ends_where_the_first_fails(cause)

    assert [end.called for end in ends] == [True, False, False, False, False]


@pytest.mark.parametrize("cause", [cause for cause in Cause if not cause.closes_the_channel])
def test_what_waits_is_called_whatever_became_of_another_message(cause: Cause) -> None:
    ends = ends_where_the_first_fails(cause)

    assert all(end.called for end in ends)
