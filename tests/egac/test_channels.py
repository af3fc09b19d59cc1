"""How fast a provider may be called and whether it is up, as all workers see it together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from egac import channels
from egac.channels import (
    BREAKER_AFTER,
    BREAKER_LONGEST,
    CREDENTIALS_SECONDS,
    Channel,
    is_down,
    note,
    pause,
    resume,
    why_closed,
)
from egac.providers import Cause, ProviderError
from egac.slots import grant
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

FOR_EVER = float("inf")


def failure(cause: Cause, **details: Any) -> ProviderError:
    return ProviderError(f"It said {cause}.", cause=cause, **details)


DOWN = [failure(Cause.UNAVAILABLE)] * BREAKER_AFTER


@pytest.fixture(autouse=True)
def email() -> Channel:
    return channels.named("email")


def seconds_held() -> float:
    """Return how long the channel is still held, by the database's clock."""
    left = Channel.objects.annotate(left=F("held_until") - Now()).get().left
    return left.total_seconds() if left else 0.0


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0].astimezone(UTC)


def let_the_hold_end() -> None:
    Channel.objects.update(held_until=Now() - timedelta(milliseconds=1))


def open_and_probe() -> None:
    let_the_hold_end()
    assert grant("email", count=1) is not None


@pytest.mark.parametrize(("retry_after", "seconds"), [(7, 7), (7200, 7200), (None, 2), (0, 2)])
def test_a_rate_limit_holds_as_long_as_asked(retry_after: float | None, seconds: float) -> None:
    note("email", [failure(Cause.RATE_LIMIT, retry_after=retry_after)])

    assert seconds - 1 < seconds_held() <= seconds
    assert grant("email", count=1) is None


def test_a_used_up_quota_of_the_day_holds_until_midnight_utc() -> None:
    before = database_now()
    note("email", [failure(Cause.DAILY_QUOTA)])

    midnights = {
        (instant + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        for instant in (before, database_now())  # the day may end during the test
    }
    assert Channel.objects.get().held_until in midnights
    assert grant("email", count=1) is None


def test_a_used_up_quota_of_the_month_holds_until_the_next_begins() -> None:
    before = database_now()
    note("email", [failure(Cause.MONTHLY_QUOTA)])

    firsts = {
        (instant.replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        for instant in (before, database_now())
    }
    assert Channel.objects.get().held_until in firsts


@pytest.mark.parametrize(
    "later",
    [
        [failure(Cause.RATE_LIMIT, retry_after=1)],
        DOWN,
        [failure(Cause.CREDENTIALS)],
        [None],
        [failure(Cause.UNAVAILABLE), None],
    ],
)
def test_calls_still_in_flight_shorten_no_quota(later: list[ProviderError | None]) -> None:
    note("email", [failure(Cause.MONTHLY_QUOTA)])
    held_until = Channel.objects.get().held_until

    note("email", later)

    assert Channel.objects.get().held_until == held_until
    assert "this month's quota" in why_closed("email")


def test_a_success_leaves_a_rate_limit_its_time() -> None:
    note("email", [failure(Cause.RATE_LIMIT, retry_after=60), failure(Cause.UNAVAILABLE), None])

    assert seconds_held() > 55


def test_a_longer_rate_limit_prolongs_a_shorter_one() -> None:
    note("email", [failure(Cause.RATE_LIMIT, retry_after=seconds) for seconds in (5, 60, 1)])

    assert 55 < seconds_held() <= 60


def test_opens_the_breaker_after_five_failures_of_one_cause() -> None:
    note("email", DOWN[1:])
    assert not is_down("email")

    note("email", DOWN[:1])

    assert is_down("email")
    assert 29 < seconds_held() <= 30
    assert grant("email", count=1) is None


@pytest.mark.parametrize(
    "outcomes",
    [
        [failure(Cause.UNAVAILABLE), failure(Cause.UNKNOWN)] * 5,
        [*DOWN[1:], None, *DOWN[1:]],
        [*DOWN[1:], failure(Cause.MESSAGE, permanent=True), *DOWN[1:]],
        [None, failure(Cause.UNAVAILABLE)] * 5,
        [failure(Cause.MESSAGE, permanent=True)] * 9,
    ],
)
def test_failures_that_are_not_in_a_row_leave_it_closed(
    outcomes: list[ProviderError | None],
) -> None:
    note("email", outcomes)

    assert not is_down("email")
    assert grant("email", count=1) is not None


def test_a_success_in_every_batch_of_outcomes_leaves_it_closed() -> None:
    for _ in range(BREAKER_AFTER):
        note("email", [None, None, failure(Cause.UNAVAILABLE)])

    assert not is_down("email")


@in_threads
def test_lets_one_probe_through_however_many_ask() -> None:
    note("email", DOWN)
    let_the_hold_end()

    granted = side_by_side(8, lambda _: grant("email", count=5))

    assert [slots.count for slots in granted if slots] == [1]
    assert is_down("email")


def test_a_lost_probe_is_followed_by_another() -> None:
    note("email", DOWN)
    open_and_probe()
    assert 59 < seconds_held() <= 60

    open_and_probe()


def test_closes_when_the_probe_is_answered() -> None:
    note("email", DOWN)
    open_and_probe()

    note("email", [None])

    assert not is_down("email")
    assert grant("email", count=5) is not None
    assert Channel.objects.get().probes == 0


def test_doubles_its_pause_with_every_failed_probe() -> None:
    note("email", DOWN)
    pauses = []
    for cause in [Cause.UNAVAILABLE, Cause.UNKNOWN, *[Cause.UNAVAILABLE] * 8]:
        open_and_probe()
        note("email", [failure(cause)])
        pauses.append(round(seconds_held()))

    assert pauses[:4] == [60, 120, 240, 480]
    assert set(pauses[4:]) == {BREAKER_LONGEST}


def test_begins_with_the_short_pause_again_after_a_rate_limit_ended_it() -> None:
    note("email", DOWN)
    for _ in range(3):
        open_and_probe()
        note("email", DOWN[:1])
    open_and_probe()
    note("email", [failure(Cause.RATE_LIMIT)])
    let_the_hold_end()

    note("email", DOWN)

    assert 29 < seconds_held() <= 30


def test_a_refused_key_closes_it_at_once_and_lets_one_probe_through() -> None:
    note("email", [failure(Cause.CREDENTIALS)])

    assert CREDENTIALS_SECONDS - 1 < seconds_held() <= CREDENTIALS_SECONDS
    let_the_hold_end()
    assert [slots.count for _ in range(2) if (slots := grant("email", count=5))] == [1]


def test_a_pause_holds_until_it_is_taken_back() -> None:
    assert pause("email", by="Ana")
    assert not pause("email", by="Ben")
    note("email", [None])
    assert grant("email", count=1) is None

    assert resume("email")

    assert not resume("email")
    assert grant("email", count=1) is not None


def test_a_pause_outlives_the_breaker() -> None:
    note("email", DOWN)
    pause("email", by="Ana")
    note("email", [None])

    assert why_closed("email") == "The e-mail channel was paused by Ana."


@pytest.mark.parametrize("outcomes", [DOWN, [failure(Cause.DAILY_QUOTA)]])
def test_staff_may_open_what_the_provider_closed(outcomes: list[ProviderError]) -> None:
    note("email", outcomes)

    assert resume("email")

    assert why_closed("email") == ""
    slots = grant("email", count=5)
    assert slots is not None
    assert slots.count == 5


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([failure(Cause.RATE_LIMIT, retry_after=60)], "asked us to slow down"),
        ([failure(Cause.DAILY_QUOTA)], "today's quota of the provider is used up"),
        ([failure(Cause.MONTHLY_QUOTA)], "this month's quota of the provider is used up"),
        ([failure(Cause.CREDENTIALS)], "refuses our key or sender; mend the settings"),
        (DOWN, "the provider is failing"),
        ([failure(Cause.UNKNOWN)] * 5, "the provider does not answer"),
    ],
)
def test_says_why_it_is_closed_and_what_was_answered(
    outcomes: list[ProviderError], words: str
) -> None:
    note("email", outcomes)

    told = why_closed("email")

    assert words in told
    assert told.startswith("The e-mail channel is closed until ")
    assert told.endswith(f"Last answer: {outcomes[-1]}")


def test_says_nothing_while_it_is_open() -> None:
    note("email", [*DOWN[1:], None])

    assert why_closed("email") == ""
