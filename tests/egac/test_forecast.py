"""When the due messages of a channel are gone, or what must happen first, in one sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egac.console.forecast import Due, Passes, Quota, calls_for, done_at, forecast

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
CRON = Passes(NOON + QUARTER, every=QUARTER, messages=100)
CLOSED = "The e-mail channel is closed."


@pytest.mark.parametrize(
    ("due", "sentence"),
    [
        ({"messages": 0, "calls": 0}, "Nothing is due."),
        (
            {"messages": 1, "calls": 1},
            "1 message is due: done within a minute at 2 calls a second.",
        ),
        (
            {"messages": 7_200, "calls": 7_200},
            "7,200 messages are due: done by 13:00 GMT at 2 calls a second.",
        ),
        (
            {"messages": 212, "calls": 212, "noun": "invite", "rate": 1.0},
            "212 invites are due: done by 12:03 GMT at 1 call a second.",
        ),
        (
            {"held": "Sending is switched off."},
            "300 messages wait. Sending is switched off.",
        ),
        (
            {"closed": CLOSED, "opens_at": NOON + HOUR},
            f"300 messages wait. {CLOSED} If it answers then: done by 13:02 GMT at 2 calls a "
            "second.",
        ),
        (
            {"passes": CRON},
            "300 messages are due: the run of 12:15 GMT sends them, done by 12:45 GMT at 2 calls "
            "a second.",
        ),
        (
            {"quota": Quota(1_000, left=300, renews_at=MIDNIGHT)},
            "300 messages are due: done by 12:02 GMT at 2 calls a second. "
            "Today's quota is enough, with 300 of 1,000 left.",
        ),
        (
            {"quota": Quota(1_000, left=299, renews_at=MIDNIGHT)},
            "300 messages are due: done by 25 November 2026 at 00:00 GMT at 2 calls a second. "
            "Today's quota is not enough, with 299 of 1,000 left: 1 waits for the next, from "
            "25 November 2026 at 00:00 GMT.",
        ),
        (
            {"quota": Quota(100, left=0, renews_at=MIDNIGHT)},
            "300 messages are due: done by 27 November 2026 at 00:00 GMT at 2 calls a second. "
            "Today's quota is not enough, with 0 of 100 left: 300 wait for the next, from "
            "25 November 2026 at 00:00 GMT.",
        ),
        (
            {"quota": Quota(1_000, left=900, renews_at=MIDNIGHT, others=600)},
            "300 messages are due: done by 12:02 GMT at 2 calls a second. "
            "Today's quota is enough, with 900 of 1,000 left and 600 more due elsewhere.",
        ),
        (
            {"quota": Quota(200, left=100, renews_at=MIDNIGHT, others=400)},
            "300 messages are due: done by 27 November 2026 at 00:01 GMT at 2 calls a second. "
            "Today's quota is not enough, with 100 of 200 left and 400 more due elsewhere: 300 "
            "wait for the next, from 25 November 2026 at 00:00 GMT.",
        ),
        (
            {"calls": 200_000},
            "300 messages are due: done by 25 November 2026 at 15:46 GMT at 2 calls a second.",
        ),
    ],
)
def test_says_when_they_are_gone_or_what_must_happen_first(
    due: dict[str, Any], sentence: str
) -> None:
    told = forecast(Due(**{"messages": 300, "calls": 300, "rate": 2.0, **due}), now=NOON)

    assert told == sentence


def test_what_holds_a_channel_is_told_before_what_closes_it() -> None:
    due = Due(3, 3, 2.0, held="Paused by Maya.", closed=CLOSED, opens_at=NOON + HOUR)

    assert forecast(due, now=NOON) == "3 messages wait. Paused by Maya."


@pytest.mark.parametrize(
    ("in_batches", "alone", "calls"), [(0, 0, 0), (1, 0, 1), (100, 0, 1), (101, 7, 9)]
)
def test_a_batch_is_one_call(in_batches: int, alone: int, calls: int) -> None:
    assert calls_for(in_batches=in_batches, alone=alone, batch=100) == calls


passes = st.builds(
    Passes,
    st.timedeltas(timedelta(0), HOUR).map(lambda later: NOON + later),
    every=st.timedeltas(timedelta(minutes=1), HOUR),
    messages=st.none() | st.integers(1, 500),
)
counts = st.integers(1, 100_000)
dues = st.builds(
    Due,
    messages=counts,
    calls=counts,
    rate=st.floats(0.1, 100),
    opens_at=st.none() | st.timedeltas(timedelta(0), HOUR).map(lambda later: NOON + later),
    passes=st.none() | passes,
    quota=st.none()
    | st.builds(
        Quota,
        st.integers(1, 500),
        left=st.integers(0, 500),
        renews_at=st.just(MIDNIGHT),
        others=st.integers(0, 500),
    ),
)


@settings(deadline=None, max_examples=60)
@given(dues, counts)
def test_nothing_ends_before_it_may_begin_nor_before_its_calls_are_made(
    due: Due, more: int
) -> None:
    ends_at = done_at(due, now=NOON)

    begins_at = max(NOON, due.opens_at or NOON, due.passes.first_at if due.passes else NOON)
    assert ends_at >= begins_at + timedelta(seconds=due.calls / due.rate)
    later = replace(due, messages=due.messages + more, calls=due.calls + more)
    assert done_at(later, now=NOON) >= ends_at


@settings(deadline=None, max_examples=60)
@given(dues.filter(lambda due: due.passes is not None and due.passes.messages is not None))
def test_no_pass_takes_more_than_its_limit(due: Due) -> None:
    assert due.passes is not None
    assert due.passes.messages is not None

    ends_at = done_at(due, now=NOON)

    whole_passes = (ends_at - due.passes.first_at) // due.passes.every + 1
    assert whole_passes * due.passes.messages >= due.messages


@settings(deadline=None, max_examples=60)
@given(dues.filter(lambda due: due.quota is not None))
def test_no_day_takes_more_than_its_quota(due: Due) -> None:
    assert due.quota is not None

    ends_at = done_at(due, now=NOON)

    renewals = max(0, (ends_at - MIDNIGHT) // timedelta(days=1) + 1)
    assert due.quota.left + renewals * due.quota.a_day >= due.messages + due.quota.others
