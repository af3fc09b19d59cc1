"""How one worker uses a channel: it waits for its slots, and for a channel that is closed."""

import pytest
from pytest_django.fixtures import Settings

from egac import channels
from egac.channels import BREAKER_AFTER, Channel, note, pause, resume
from egac.drain import Drain
from egac.pacer import Pacer
from egac.providers import Cause, ProviderError
from egac.providers.resend import EMAIL
from egac.slots import grant
from invites.models import Invite
from tests.invites.factories import make_invites
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

FOR_EVER = float("inf")
DOWN = [ProviderError("It is down.")] * BREAKER_AFTER


def rate_limit(seconds: float) -> ProviderError:
    return ProviderError("Slow down.", cause=Cause.RATE_LIMIT, retry_after=seconds)


@pytest.fixture(autouse=True)
def email() -> Channel:
    return channels.named("email")


def test_a_pacer_begins_no_call_while_it_is_paused() -> None:
    pause("email", by="Ana")

    pacer = Pacer("email", until=FOR_EVER)

    assert pacer.closed == "The e-mail channel was paused by Ana."
    assert pacer.take(5) == []


def test_a_pacer_waits_for_a_short_hold_and_tells_of_a_long_one() -> None:
    note("email", [rate_limit(5)])
    short = Pacer("email", until=FOR_EVER)
    note("email", [rate_limit(50)])
    long = Pacer("email", until=FOR_EVER)

    assert (short.closed, short.take(1)) == ("", [])
    assert 4 < short.seconds_to_next() <= 5
    assert "slow down" in long.closed


def test_a_pacer_tells_of_a_hold_that_ends_after_its_time() -> None:
    note("email", [rate_limit(5)])

    assert Pacer("email", until=0).closed


def test_a_pacer_that_looks_while_the_channel_opens_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pacer = Pacer("email", until=FOR_EVER)
    note("email", DOWN)
    look = channels.look

    def look_and_open(name: str) -> channels.Look:
        seen = look(name)
        resume(name)  # another worker's probe is answered at this moment
        return seen

    monkeypatch.setattr(channels, "look", look_and_open)
    pacer.take(1)

    assert (pacer.closed, pacer.seconds_to_next()) == ("", 0)


def test_a_probe_may_begin_however_late() -> None:
    Channel.objects.update(probing=True)

    assert Pacer("email", until=FOR_EVER).take(3) == [float("inf")]


def test_a_pacer_hands_out_its_slots_as_their_times_come(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 1
    pacer = Pacer("email", until=FOR_EVER)
    grant("email", count=1)  # another worker's slot comes first

    taken = pacer.take(3)

    assert taken == []
    assert 0.5 < pacer.seconds_to_next() <= 1.1


def test_a_pacer_uses_no_slot_from_before_the_channel_closed(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 2
    pacer = Pacer("email", until=FOR_EVER)
    pacer.take(2)

    pacer.note([ProviderError("Used up.", cause=Cause.DAILY_QUOTA)])

    assert pacer.take(2) == []
    assert "today's quota" in pacer.closed


def test_a_pacer_uses_no_slot_that_was_spaced_by_another_rate(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 2
    pacer = Pacer("email", until=FOR_EVER)
    pacer.take(2)  # the second slot is still to come

    pacer.hear(0.5)

    assert (pacer.rate, pacer.seconds_to_next()) == (0.5, 0)


def test_what_one_worker_heard_of_the_rate_holds_for_all(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 500
    provider.resend.advertised_rate = 40
    make_invites(2)

    Drain(Invite.objects.all(), EMAIL).run()

    assert Channel.objects.get().told_rate == 40
    assert Pacer("email", until=FOR_EVER).rate == 40


def test_a_refusal_tells_of_the_rate_too(provider: ProviderServer) -> None:
    headers = {"retry_after": "60", "ratelimit_limit": "3"}
    refusal = Fault.error(429, "rate_limit_exceeded", "Slow down.", **headers)
    provider.resend.faults = always(refusal)
    make_invites(1)

    Drain(Invite.objects.all(), EMAIL).run()

    assert channels.look("email").told_rate == 3
