"""Slots: how fast all workers together may call, and where a grant lies on a worker's clock."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac import channels, slots
from egac.channels import Channel
from egac.slots import EARLY_SECONDS, SLACK, TRIES, grant, leeway
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def email() -> Channel:
    return channels.named("email")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A worker's clock that moves only when a test moves it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(slots, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@contextmanager
def round_trips(clock: SimpleNamespace, *seconds: float) -> Iterator[None]:
    """Let each statement take so long on the worker's clock; there must be as many of them."""
    left = list(seconds)

    def slow(execute: Any, *arguments: Any) -> Any:
        result = execute(*arguments)
        clock.now += left.pop(0)
        return result

    with connection.execute_wrapper(slow):
        yield
    assert left == []


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0].astimezone(UTC)


def slots_since(began: datetime, *, rate: float) -> int:
    """Return how many slots were granted since then, to a channel that had rested."""
    granted = Channel.objects.get().next_slot_at - began
    return round(granted.total_seconds() * rate * SLACK)


@in_threads
def test_grants_slots_one_after_the_other_to_all_workers(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 2
    began = database_now()

    granted = side_by_side(8, lambda _: [grant("email", count=2) for _ in range(3)])

    slots = [each for worker in granted for each in worker if each]
    times = sorted(s.first_at + n * s.spacing for s in slots for n in range(s.count))
    assert len(times) == 48
    # Half a spacing is left to the time that the answer of the database takes.
    assert all(b - a > 0.25 for a, b in itertools.pairwise(times))
    assert Channel.objects.get().next_slot_at >= began + 48 * timedelta(seconds=0.5)


@in_threads
def test_never_grants_more_than_the_rate_and_one_in_a_second(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 3

    granted = side_by_side(6, lambda _: grant("email", count=4))

    times = sorted(s.first_at + n * s.spacing for s in granted if s for n in range(s.count))
    in_a_second = [sum(start <= time < start + 1 for time in times) for start in times]
    assert max(in_a_second) <= 4


@pytest.mark.parametrize("rate", [1, 2, 5, 20, 80, 500, 1000, 9000])
def test_invariant_13_calls_that_miss_their_slots_crowd_no_second(rate: int) -> None:
    spacing = 1 / (rate * SLACK)

    stretch = 1 + EARLY_SECONDS + 2 * leeway(spacing)  # placed too late, and begun too late

    assert math.ceil(stretch / spacing) <= rate + 1


def test_a_channel_that_rested_grants_no_burst(settings: Settings) -> None:
    settings.RESEND_RATE_LIMIT = 10
    Channel.objects.update(next_slot_at=Now() - timedelta(hours=1))
    began = database_now()

    for _ in range(3):
        grant("email", count=10)

    assert Channel.objects.get().next_slot_at >= began + timedelta(seconds=3)


def test_a_grant_whose_round_trip_was_long_is_dropped_and_asked_for_anew(
    clock: SimpleNamespace, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 0.001  # so that no pause of this machine counts for a slot
    began = database_now()

    with round_trips(clock, 600, 0.1):
        granted = grant("email", count=2)

    assert granted is not None
    assert slots_since(began, rate=0.001) == 4
    assert round((granted.first_at - clock.now) / granted.spacing) == 2


def test_a_round_trip_that_is_as_long_as_ever_moves_nothing(
    clock: SimpleNamespace, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 2

    with round_trips(clock, 0.5):
        granted = grant("email", count=2, usual=0.4)

    assert granted is not None
    assert granted.count == 2


def test_a_database_that_became_far_is_taken_as_it_is(
    clock: SimpleNamespace, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = 2

    with round_trips(clock, *[0.5] * TRIES):
        granted = grant("email", count=2, usual=0.1)

    assert granted is not None
    assert granted.count == 2


def test_a_probe_is_kept_however_long_its_round_trip_was(clock: SimpleNamespace) -> None:
    Channel.objects.update(probing=True)

    with round_trips(clock, 30):
        granted = grant("email", count=2)

    assert granted is not None
    assert granted.is_probe


@pytest.mark.parametrize(
    ("setting", "told", "rate"),
    [
        (5, None, 5),
        (5, 2, 2),
        (5, 10, 5),
        (None, None, channels.UNTOLD_RATE),
        (None, 5, 5),
        (None, 0.5, 0.5),
    ],
)
def test_the_lower_of_setting_and_provider_is_the_rate_and_one_alone_decides(
    settings: Settings, setting: float | None, told: float | None, rate: float
) -> None:
    settings.RESEND_RATE_LIMIT = setting
    Channel.objects.update(told_rate=told)

    granted = grant("email", count=1)

    assert granted is not None
    assert granted.spacing == pytest.approx(1 / (rate * SLACK))
    assert Channel.objects.get().rate == channels.look("email").rate == rate
