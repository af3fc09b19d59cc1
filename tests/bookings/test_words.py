"""What a customer reads of a booking."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.models import Plan
from bookings.words import first_class, how_billed, price_in_words, times_in_words

EVENING = time(18, 30)
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekdays", "at", "zone", "words"),
    [
        ([2], EVENING, "Europe/London", "Tuesdays at 18:30 UK time"),
        ([4, 2], EVENING, "Europe/London", "Tuesdays and Thursdays at 18:30 UK time"),
        (
            [1, 3, 5, 1],
            time(7),
            "Asia/Kolkata",
            "Mondays, Wednesdays and Fridays at 07:00 Kolkata time",
        ),
        ([7], time(9), "America/New_York", "Sundays at 09:00 New York time"),
        ([2], None, "Europe/London", "Tuesdays"),
        ([], EVENING, "Europe/London", "as agreed with you"),
    ],
)
def test_times_are_said_in_words(
    weekdays: list[int], at: time | None, zone: str, words: str
) -> None:
    assert times_in_words(weekdays, at, zone=zone) == words


@pytest.mark.parametrize(
    ("plan", "price", "currency", "tax", "words"),
    [
        (Plan.MONTHLY, "42", "GBP", "0", "£42.00 a month"),
        (Plan.PER_CLASS, "8.5", "EUR", "20.00", "€8.50 a class plus 20% tax"),
        (Plan.MONTHLY, "0", "CHF", "7.70", "0.00 CHF a month plus 7.7% tax"),
    ],
)
def test_a_price_says_of_what_it_is(
    plan: str, price: str, currency: str, tax: str, words: str
) -> None:
    said = price_in_words(plan, Decimal(price), currency=currency, tax_percent=Decimal(tax))

    assert said == words


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan.MONTHLY, "We send you an invoice 1 day before each payment is due."),
        (
            Plan.PER_CLASS,
            "We send you an invoice the day after each class; it is to be paid within 5 days.",
        ),
    ],
)
def test_a_plan_says_how_it_is_billed(plan: str, words: str) -> None:
    assert how_billed(plan, lead_days=1, due_days=5) == words


@pytest.mark.parametrize(
    ("after", "first"),
    [
        ("2026-12-01T18:29:00", "2026-12-01T18:30:00+00:00"),
        ("2026-12-01T18:30:00", "2026-12-08T18:30:00+00:00"),
        ("2026-12-02T00:00:00", "2026-12-08T18:30:00+00:00"),
        ("2026-03-25T12:00:00", "2026-03-31T18:30:00+01:00"),  # over the change of the clocks
    ],
)
def test_the_first_class_is_the_next_on_one_of_its_days(after: str, first: str) -> None:
    start = first_class(
        [2], EVENING, after=datetime.fromisoformat(after + "+00:00"), zone="Europe/London"
    )

    assert start is not None
    assert start.isoformat() == first


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=1),
    st.times(),
    st.integers(0, 7 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(["Europe/London", "Asia/Kolkata", "America/New_York"]),
)
def test_the_first_class_is_ahead_within_a_week_and_on_its_day(
    weekdays: list[int], at: time, after: datetime, zone: str
) -> None:
    start = first_class(weekdays, at, after=after, zone=zone)

    assert start is not None
    assert after < start <= after + timedelta(days=8)
    assert start.astimezone(ZoneInfo(zone)).isoweekday() in weekdays


@pytest.mark.parametrize(("weekdays", "at"), [([], EVENING), ([2], None)])
def test_without_days_or_time_there_is_no_first_class(weekdays: list[int], at: time | None) -> None:
    assert first_class(weekdays, at, after=datetime(2026, 1, 1, tzinfo=UTC), zone="UTC") is None
