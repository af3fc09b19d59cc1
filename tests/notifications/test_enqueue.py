"""Enqueue lives and dies with the business row, queues a key once, refuses what cannot be sent."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from egac.delivery import Suppression
from egac.models import Channel
from egac.outbox import Unsendable
from notifications import relevance
from notifications.models import EmailBatch, Notification
from notifications.passes import run_pass
from notifications.services import URGENT, USUAL, Message, enqueue
from tests.egac.threads import side_by_side
from tests.notifications.factories import email, whatsapp
from tests.notifications.test_payloads import NO_JSON, UNSENDABLE, templated
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = Notification.Status
INSERT = "INSERT INTO notifications_queue (type, payload) VALUES ('another_programs', %s)"
EMAIL = email()


def message(key: str = "reminder-1", *, payload: Any = EMAIL, **more: Any) -> Message:
    return Message("payment_reminder", payload, key, **more)


def send(limit: int = 1000) -> None:
    run_pass(limit=limit, seconds=30)


class Undone(Exception):
    """The business transaction failed."""


# Transaction and key


def test_returns_the_keys_that_are_new() -> None:
    first = enqueue([message("a"), message("b")])
    second = enqueue([message("b"), message("c")])

    assert (first, second) == ({"a", "b"}, {"c"})
    assert Notification.objects.count() == 3


def test_nothing_to_queue_queues_nothing() -> None:
    assert enqueue([]) == set()


def test_one_call_with_a_key_twice_queues_it_once() -> None:
    assert enqueue([message("a"), message("a", payload=email("other@families.example"))]) == {"a"}

    assert Notification.objects.get().recipient == "amelia@families.example"


def test_a_key_stays_taken_after_its_message_was_sent() -> None:
    enqueue([message()])
    Notification.objects.update(status=Status.COMPLETED)

    assert enqueue([message()]) == set()
    assert Notification.objects.get().status == Status.COMPLETED


def test_rows_without_a_key_are_as_many_as_are_inserted() -> None:
    for _ in range(2):
        Notification.objects.create(type="another_programs", payload=email())

    assert Notification.objects.filter(key=None).count() == 2


@in_threads
@pytest.mark.parametrize("fails", [True, False])
def test_invariant_07_a_message_lives_and_dies_with_its_business_row(fails: bool) -> None:
    try:
        with transaction.atomic():
            Suppression.objects.create(address="stands@for.example", reason="a business row")
            enqueue([message()])
            if fails:
                raise Undone
    except Undone:
        pass

    assert Notification.objects.count() == Suppression.objects.count() == int(not fails)


@in_threads
def test_nobody_sends_a_message_before_its_business_row_is_committed(
    provider: ProviderServer,
) -> None:
    with transaction.atomic():
        enqueue([message()])
        side_by_side(1, lambda _: send())

        assert provider.resend.calls == []


@in_threads
def test_twenty_at_once_with_one_key_queue_once() -> None:
    answers = side_by_side(20, lambda _: enqueue([message("the-same")]))

    assert sorted(map(len, answers)) == [0] * 19 + [1]
    assert Notification.objects.count() == 1


@in_threads
def test_a_key_is_free_again_when_its_transaction_failed() -> None:
    def one(number: int) -> set[str]:
        try:
            with transaction.atomic():
                new = enqueue([message("the-same")])
                if number % 2:
                    raise Undone
                return new
        except Undone:
            return set()

    answers = side_by_side(10, one)

    assert sum(map(len, answers)) == Notification.objects.count() == 1


# What goes when


@in_threads
def test_the_urgent_goes_before_what_has_waited_longer(provider: ProviderServer) -> None:
    enqueue([message("a", priority=USUAL)])
    enqueue([message("b", priority=URGENT, payload=email("urgent@families.example"))])

    send(limit=1)

    assert [each.payload["to"] for each in provider.resend.accepted] == [
        ["urgent@families.example"]
    ]


@in_threads
def test_waits_for_its_earliest_time(provider: ProviderServer) -> None:
    enqueue([message(not_before=timezone.now() + timedelta(hours=1))])

    send()
    waited = provider.resend.calls == []
    Notification.objects.update(due_at=F("due_at") - timedelta(hours=1))
    send()

    assert waited
    assert len(provider.resend.accepted) == 1


@in_threads
@pytest.mark.parametrize("payload", [email(), whatsapp()])
def test_what_is_of_no_more_use_is_cancelled(provider: ProviderServer, payload: Any) -> None:
    enqueue([message(payload=payload, expires_at=timezone.now() + timedelta(hours=1))])
    Notification.objects.update(expires_at=F("expires_at") - timedelta(hours=1))

    send()

    row = Notification.objects.get()
    assert (row.status, row.reason, row.attempts) == (Status.CANCELLED, "expired", 0)
    assert str(row.last_error).startswith("It was of use until")
    assert provider.resend.calls == provider.whatsapp.calls == []


@in_threads
@pytest.mark.parametrize(("hours", "is_sent"), [(-1, False), (1, True)])
def test_the_databases_clock_says_when_a_message_expires(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch, hours: int, is_sent: bool
) -> None:
    enqueue([message(expires_at=timezone.now() + timedelta(hours=hours))])
    wrong = timezone.now() + timedelta(hours=2 * hours)
    monkeypatch.setattr("django.utils.timezone.now", lambda: wrong)

    send()

    assert len(provider.resend.accepted) == int(is_sent)


# Relevance


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that registers what the check `still_owed` answers."""
    monkeypatch.setattr(relevance, "CHECKS", {})

    def answers(answer: Any) -> None:
        def still_owed(context: dict[str, Any], found: None) -> str | None:
            if isinstance(answer, Exception):
                raise answer
            return answer(context)

        relevance.register("still_owed", still_owed, look_up=lambda contexts: None)

    return answers


@in_threads
def test_a_message_that_lost_its_point_is_cancelled_with_the_reason(
    provider: ProviderServer, check: Callable[[Any], None]
) -> None:
    check(lambda context: f"Invoice {context['invoice_id']} is paid.")
    enqueue([message(payload=email(context={"invoice_id": 42}), relevance="still_owed")])

    send()

    row = Notification.objects.get()
    assert (row.status, row.reason) == (Status.CANCELLED, "irrelevant")
    assert row.last_error == "Invoice 42 is paid."
    assert provider.resend.calls == []


@in_threads
@pytest.mark.parametrize("payload", [email(), email(context=None), email(context=[1])])
def test_a_message_that_has_its_point_is_sent(
    provider: ProviderServer, check: Callable[[Any], None], payload: Any
) -> None:
    check(lambda context: None if context == {} else "It has a context.")
    enqueue([message(payload=payload, relevance="still_owed")])

    send()

    assert len(provider.resend.accepted) == 1


@in_threads
def test_a_check_that_raises_costs_an_attempt_and_harms_nobody(
    provider: ProviderServer, check: Callable[[Any], None]
) -> None:
    check(KeyError("invoice_id"))
    enqueue([message("a", relevance="still_owed"), message("b")])

    send()

    later = Notification.objects.filter(due_at__gt=Now() + timedelta(seconds=50))
    assert [(row.key, row.status, row.attempts) for row in later] == [("a", Status.PENDING, 1)]
    assert Notification.objects.get(key="b").status == Status.COMPLETED


@in_threads
def test_a_check_that_nobody_knows_any_more_fails_the_row(
    provider: ProviderServer, check: Callable[[Any], None]
) -> None:
    check(lambda context: None)
    enqueue([message(relevance="still_owed")])
    relevance.CHECKS.clear()

    send()

    row = Notification.objects.get()
    assert (row.status, row.reason) == (Status.FAILED, "invalid")
    assert "No check is called 'still_owed'" in str(row.last_error)


def test_an_unknown_check_is_refused_at_once() -> None:
    with pytest.raises(Unsendable, match="No check is called 'no_such'"):
        enqueue([message(relevance="no_such")])


# Refused at once


@pytest.mark.parametrize("fault", UNSENDABLE | NO_JSON)
def test_refuses_at_once_what_could_never_be_sent(fault: str) -> None:
    payload, sentence = (UNSENDABLE | NO_JSON)[fault]

    with pytest.raises(Unsendable, match=sentence):
        enqueue([message("a"), message("b", payload=payload), message("c")])

    assert Notification.objects.count() == 0


TEXTS = st.text(st.characters(exclude_categories=()), max_size=9)  # halves of characters too
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
COMPLETE = (email(), whatsapp(), templated())
NAMES = sorted({name for payload in COMPLETE for name in payload} | {"text", "attachments", "more"})
NEARLY_COMPLETE = st.builds(
    lambda payload, changes: payload | changes,
    st.sampled_from(COMPLETE),
    st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=2),
)
PAYLOADS = ANY_JSON | NEARLY_COMPLETE


class TestAnyPayload(TestCase):
    """Whatever JSON is asked for or inserted."""

    @settings(max_examples=300, deadline=None)
    @given(PAYLOADS)
    def test_is_queued_as_it_is_or_refused_with_a_sentence(self, payload: Any) -> None:
        queued, refused = set(), ""
        try:
            queued = enqueue([message("a", payload=payload)])
        except Unsendable as refusal:
            refused = str(refusal)

        assert bool(queued) != refused.endswith(".")
        assert Notification.objects.count() == len(queued)


# Any JSON of another program


def stored(payload: Any) -> bool:
    """Insert it as another program would; tell whether PostgreSQL took it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [json.dumps(payload)])
    except (DataError, ValueError):  # NUL, half of a character, NaN
        return False
    return True


def send_until_all_ended() -> None:
    """Run passes, each after the longest back-off, until no row waits."""
    for _ in range(Notification.attempt_limit()):
        Channel.objects.update(held_until=None, failures=0, probing=False)
        for model in (Notification, EmailBatch):
            model.objects.filter(status="pending").update(due_at=Now())
        send()


@in_threads
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PAYLOADS, min_size=5, max_size=25))
def test_any_payload_ends_and_never_stops_a_good_row_behind_it(
    provider: ProviderServer, payloads: list[Any]
) -> None:
    Notification.objects.all().delete()
    count = sum(map(stored, [*payloads, email("good@families.example")]))

    send()
    good = Notification.objects.filter(payload__to="good@families.example")
    went = [row.status for row in good]
    send_until_all_ended()

    assert went == [Status.COMPLETED]
    assert Notification.objects.filter(status__in=["completed", "failed"]).count() == count
