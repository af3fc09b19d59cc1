"""When to try again: the rules as a table, and what holds for every error in every state."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from egac.providers import Cause, ProviderError
from egac.retry import BACK_OFF, LONGEST_LIMIT, Reason, State, Verdict, judge, wait

FRESH = State(attempts=0, limit=3)
LAST = State(attempts=2, limit=3)
IN_DOUBT = State(attempts=1, limit=3, in_doubt=True)
NO_FAULT_OF_THE_ROW = [
    cause for cause in Cause if cause.closes_the_channel or cause is Cause.RECIPIENT_LIMIT
]

errors = st.builds(
    ProviderError,
    st.just("refused"),
    permanent=st.booleans(),
    retry_after=st.none() | st.floats(0, 31 * 86_400),
    cause=st.sampled_from(Cause),
)
passing_errors = errors.filter(
    lambda error: not (error.permanent or error.cause is Cause.KEY_IS_TAKEN)
)
states = st.builds(
    State,
    attempts=st.integers(0, 4),
    limit=st.just(5),
    repeats=st.integers(0, 50),
    in_doubt=st.booleans(),
    protected=st.booleans(),
    limited_for=st.timedeltas(timedelta(), 2 * LONGEST_LIMIT),
)
jitters = st.floats(0, 1)


def failed(cause: Cause, **details: object) -> ProviderError:
    return ProviderError("refused", cause=cause, **details)  # type: ignore[arg-type]


KEY_IS_TAKEN = failed(Cause.KEY_IS_TAKEN, permanent=True)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def again(delay: timedelta, *, counts: bool = True, in_doubt: bool = False) -> Verdict:
    return Verdict(delay, None, counts=counts, in_doubt=in_doubt)


def over(reason: Reason, *, counts: bool = True, in_doubt: bool = False) -> Verdict:
    return Verdict(None, reason, counts=counts, in_doubt=in_doubt)


@pytest.mark.parametrize(
    ("error", "state", "verdict"),
    [
        (failed(Cause.UNAVAILABLE), FRESH, again(minutes(1))),
        (failed(Cause.UNAVAILABLE), replace(FRESH, attempts=1), again(minutes(5))),
        (failed(Cause.UNAVAILABLE), LAST, over(Reason.EXHAUSTED)),
        (failed(Cause.UNAVAILABLE), State(attempts=7, limit=9), again(minutes(120))),
        (failed(Cause.UNAVAILABLE, retry_after=20), FRESH, again(minutes(1))),
        (failed(Cause.UNAVAILABLE, retry_after=600), FRESH, again(minutes(10))),
        (failed(Cause.MESSAGE, permanent=True), FRESH, over(Reason.PERMANENT)),
        (failed(Cause.MESSAGE), FRESH, again(minutes(1))),
        (failed(Cause.RATE_LIMIT, retry_after=3), LAST, again(minutes(0.05), counts=False)),
        (failed(Cause.DAILY_QUOTA), LAST, again(minutes(0), counts=False)),
        (failed(Cause.MONTHLY_QUOTA), FRESH, again(minutes(0), counts=False)),
        (failed(Cause.CREDENTIALS), FRESH, again(minutes(0), counts=False)),
        (failed(Cause.RECIPIENT_LIMIT), LAST, again(minutes(1), counts=False)),
        (
            failed(Cause.RECIPIENT_LIMIT, retry_after=86_400),
            FRESH,
            again(minutes(24 * 60), counts=False),
        ),
        (
            failed(Cause.RECIPIENT_LIMIT),
            replace(FRESH, limited_for=minutes(6)),
            again(minutes(30), counts=False),
        ),
        (
            failed(Cause.RECIPIENT_LIMIT),
            replace(FRESH, limited_for=LONGEST_LIMIT - minutes(1)),
            again(minutes(120), counts=False),
        ),
        (
            failed(Cause.RECIPIENT_LIMIT, retry_after=86_400),
            replace(FRESH, limited_for=LONGEST_LIMIT),
            over(Reason.EXHAUSTED, counts=False),
        ),
        (
            failed(Cause.RATE_LIMIT),
            replace(FRESH, limited_for=LONGEST_LIMIT),
            again(minutes(0), counts=False),
        ),
        (failed(Cause.UNKNOWN), FRESH, again(minutes(1), in_doubt=True)),
        (failed(Cause.UNKNOWN), LAST, again(minutes(30), in_doubt=True)),
        (failed(Cause.UNKNOWN), IN_DOUBT, again(minutes(5), counts=False, in_doubt=True)),
        (failed(Cause.UNAVAILABLE), IN_DOUBT, again(minutes(5), counts=False, in_doubt=True)),
        (failed(Cause.RATE_LIMIT), IN_DOUBT, again(minutes(0), counts=False, in_doubt=True)),
        (
            failed(Cause.UNKNOWN),
            replace(IN_DOUBT, repeats=9),
            again(minutes(120), counts=False, in_doubt=True),
        ),
        (
            failed(Cause.UNKNOWN),
            replace(IN_DOUBT, protected=False),
            over(Reason.UNCERTAIN, counts=False, in_doubt=True),
        ),
        (
            failed(Cause.UNKNOWN),
            replace(FRESH, protected=False),
            over(Reason.UNCERTAIN, in_doubt=True),
        ),
        (failed(Cause.MESSAGE, permanent=True), IN_DOUBT, over(Reason.PERMANENT, counts=False)),
        (KEY_IS_TAKEN, FRESH, over(Reason.UNCERTAIN, in_doubt=True)),
        (KEY_IS_TAKEN, IN_DOUBT, over(Reason.UNCERTAIN, counts=False, in_doubt=True)),
    ],
)
def test_judges_by_cause_and_state(error: ProviderError, state: State, verdict: Verdict) -> None:
    assert judge(error, state) == verdict


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (Cause.UNAVAILABLE, again(minutes(0), counts=False)),
        (Cause.UNKNOWN, again(minutes(1), in_doubt=True)),
        (Cause.MESSAGE, again(minutes(1))),  # a row that breaks its sender is its own fault
    ],
)
def test_a_channel_that_is_down_excuses_only_its_own_failures(
    cause: Cause, verdict: Verdict
) -> None:
    assert judge(failed(cause), FRESH, channel_is_down=True) == verdict


@given(st.integers(1, 100), st.none() | st.floats(0, 31 * 86_400), jitters)
def test_waits_for_the_longer_of_both_and_at_most_a_fifth_more(
    tries: int, retry_after: float | None, jitter: float
) -> None:
    least = max(BACK_OFF[min(tries, 4) - 1], timedelta(seconds=retry_after or 0))

    assert least <= wait(tries, retry_after=retry_after, jitter=jitter) <= least * 1.2


@given(passing_errors, states, st.booleans(), jitters)
def test_never_tries_again_before_the_provider_allows(
    error: ProviderError, state: State, is_down: bool, jitter: float
) -> None:
    verdict = judge(error, state, channel_is_down=is_down, jitter=jitter)

    asked = timedelta(seconds=error.retry_after or 0)
    assert verdict.delay is None or verdict.delay >= asked
    if verdict.delay is not None and verdict.counts:
        assert verdict.delay >= BACK_OFF[min(state.attempts, 3)]


@given(st.sampled_from(NO_FAULT_OF_THE_ROW), states, st.booleans(), jitters)
def test_what_is_no_fault_of_the_row_never_counts(
    cause: Cause, state: State, is_down: bool, jitter: float
) -> None:
    assert not judge(failed(cause), state, channel_is_down=is_down, jitter=jitter).counts


@given(errors.filter(lambda error: error.permanent), states, st.booleans(), jitters)
def test_a_permanent_error_is_never_tried_again(
    error: ProviderError, state: State, is_down: bool, jitter: float
) -> None:
    verdict = judge(error, state, channel_is_down=is_down, jitter=jitter)

    is_taken = error.cause is Cause.KEY_IS_TAKEN
    reason = Reason.UNCERTAIN if is_taken else Reason.PERMANENT
    assert (verdict.delay, verdict.reason) == (None, reason)


@given(passing_errors, states, st.booleans(), jitters)
def test_a_protected_row_in_doubt_is_never_given_up(
    error: ProviderError, state: State, is_down: bool, jitter: float
) -> None:
    in_doubt = replace(state, in_doubt=True, protected=True)

    verdict = judge(error, in_doubt, channel_is_down=is_down, jitter=jitter)

    assert verdict.delay is not None
    assert verdict.in_doubt
    assert not verdict.counts


class LifeOfARow(RuleBasedStateMachine):
    """Any sequence of outcomes, each kept as record.py keeps it."""

    @initialize(limit=st.integers(1, 5))
    def begin(self, limit: int) -> None:
        self.state = State(attempts=0, limit=limit)
        self.reason: Reason | None = None
        self.counted = 0

    @precondition(lambda self: self.reason is None)
    @rule(error=errors, is_down=st.booleans(), jitter=jitters)
    def fail(self, error: ProviderError, is_down: bool, jitter: float) -> None:
        was, verdict = self.state, judge(error, self.state, channel_is_down=is_down, jitter=jitter)
        self.counted += verdict.counts
        self.reason = verdict.reason
        self.state = replace(
            was,
            attempts=was.attempts + verdict.counts,
            repeats=was.repeats + 1 if was.in_doubt and verdict.in_doubt else 0,
            in_doubt=verdict.in_doubt,
        )
        assert (verdict.delay is None) == (verdict.reason is not None)

    @precondition(lambda self: self.reason is not None)
    @rule()
    def requeue(self) -> None:
        self.begin(self.state.limit)

    @precondition(lambda self: self.state.in_doubt)
    @rule()
    def let_the_key_expire(self) -> None:
        self.state = replace(self.state, protected=False)

    @invariant()
    def attempts_never_exceed_the_limit(self) -> None:
        assert self.state.attempts == self.counted <= self.state.limit

    @invariant()
    def what_goes_on_has_an_attempt_left_or_is_in_doubt(self) -> None:
        if self.reason is None:
            assert self.state.in_doubt or self.state.attempts < self.state.limit

    @invariant()
    def exhausted_means_every_attempt_was_made(self) -> None:
        if self.reason is Reason.EXHAUSTED:
            assert self.state.attempts == self.state.limit


TestLifeOfARow = LifeOfARow.TestCase
TestLifeOfARow.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
