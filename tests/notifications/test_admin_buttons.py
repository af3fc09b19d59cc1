"""The buttons of the queue: what each changes, what it leaves alone, and what it says."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from egac.delivery import Suppression
from notifications.catalogue import TYPES
from notifications.models import EmailBatch, Notification, Worker
from tests.notifications.factories import email, queue, whatsapp
from tests.notifications.staff_pages import (
    LIST,
    VERBS,
    WHY,
    ask,
    confirm,
    failed,
    message_of,
    page_of,
    tomorrow,
)
from tests.staff import login

pytestmark = pytest.mark.django_db

Status = Notification.Status


# Retry now


def test_retry_now_makes_rows_due_and_tells_two_numbers(operator: Client, worker: Worker) -> None:
    later = queue(email(), due_at=timezone.now() + timedelta(days=1))
    ended, done = failed(), queue(email(), status=Status.COMPLETED)
    posted = ask(operator, "retry", later, ended)
    everything = f"{posted['seen']} {done.pk}@{done.updated_at.isoformat()}"

    told = confirm(operator, "retry", {"seen": everything})

    assert told == "2 are due now: the worker sends them. Skipped: 1 sent already."
    assert set(Notification.objects.due()) == {later, ended}
    ended.refresh_from_db()
    assert (ended.generation, ended.attempts) == (2, 0)


@pytest.mark.parametrize(
    ("fields", "silence"),
    [
        ({"kind": "loop"}, ""),
        ({"kind": "pass", "stopped_at": Now()}, ""),
        ({"kind": "loop", "stopped_at": Now()}, " But the last worker was stopped at "),
        (
            {"kind": "loop", "seen_at": Now() - timedelta(minutes=6)},
            " But no worker was seen for 6 minutes: ask whoever runs the server to start one",
        ),
        (
            {"kind": "loop", "seen_at": Now() - timedelta(days=2)},
            " But no worker was seen since ",
        ),
    ],
)
def test_retry_now_says_when_no_worker_was_seen(
    operator: Client, fields: dict[str, Any], silence: str
) -> None:
    Worker.objects.create(name="one", **fields)

    told = confirm(operator, "retry", ask(operator, "retry", failed()))

    assert told.startswith(f"1 is due now: the worker sends it.{silence}")
    assert (told == "1 is due now: the worker sends it.") is (not silence)


def test_18_a_second_press_changes_nothing(operator: Client, worker: Worker) -> None:
    row = failed()
    posted = ask(operator, "retry", row)
    confirm(operator, "retry", posted)

    told = confirm(operator, "retry", posted)

    row.refresh_from_db()
    assert "Skipped: 1 changed by somebody else meanwhile." in told
    assert row.generation == 2


@pytest.mark.parametrize("verb", VERBS)
def test_18_a_stale_page_changes_nothing(operator: Client, verb: str) -> None:
    sending, changed, gone = (queue(email()) for _ in range(3))
    posted = ask(operator, verb, sending, changed, gone)
    Notification.objects.filter(pk=sending.pk).update(status=Status.PROCESSING)
    Notification.objects.filter(pk=changed.pk).update(
        updated_at=F("updated_at") + timedelta(seconds=1)
    )
    gone.delete()
    before = list(Notification.objects.order_by("pk").values())

    told = confirm(operator, verb, posted, at=tomorrow())

    for why in ("being sent right now", "changed by somebody else meanwhile", "no longer there"):
        assert f"1 {why}" in told
    assert list(Notification.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("verb", VERBS)
def test_18_a_row_frozen_in_an_open_batch_is_skipped_and_named(operator: Client, verb: str) -> None:
    batch = EmailBatch.objects.create(row_ids=[1])
    frozen = queue(email(), status=Status.PROCESSING, batch=batch)
    sending = queue(email(), status=Status.PROCESSING)
    keys = [frozen.pk, sending.pk]

    page = page_of(operator.post(f"{LIST}{verb}/", {"_selected_action": keys}))
    told = confirm(operator, verb, {"seen": " ".join(f"{key}@x" for key in keys)}, at=tomorrow())

    for words in (page, told):
        assert "1 in a batch that is being sent" in words
        assert "1 being sent right now" in words
    assert set(Notification.objects.values_list("status", flat=True)) == {Status.PROCESSING}


def test_a_row_of_a_batch_that_is_over_is_retried(operator: Client, worker: Worker) -> None:
    batch = EmailBatch.objects.create(row_ids=[1], status=EmailBatch.Status.FAILED)

    told = confirm(operator, "retry", ask(operator, "retry", failed(batch=batch)))

    assert told == "1 is due now: the worker sends it."


def test_who_may_not_press_a_button_reads_who_may() -> None:
    row = queue(email(), status=Status.FAILED, reason="exhausted")

    told = page_of(login("Viewers").get(f"{LIST}{row.pk}/change/"))

    assert "Your role may not press Retry now or Cancel here. Operators and Managers may." in told


def test_who_may_press_them_all_reads_nothing_of_roles(operator: Client) -> None:
    row = queue(email(), status=Status.FAILED, reason="exhausted")

    assert "Your role" not in page_of(operator.get(f"{LIST}{row.pk}/change/"))


def test_the_page_that_asks_names_whom_what_and_what_speaks_against_it(operator: Client) -> None:
    Suppression.objects.create(address="hushed@club.example", reason="complained")
    hushed = queue(email("Hushed@club.example"))
    over = queue(email(), expires_at=timezone.now() - timedelta(days=1))
    doubtful = queue(whatsapp(), status=Status.FAILED, reason="uncertain")
    keys = [hushed.pk, over.pk, doubtful.pk]

    page = page_of(operator.post(f"{LIST}retry/", {"_selected_action": keys}))

    assert "Retry now: 3 queued messages." in page
    assert escape(TYPES["booking_confirmation"].title) in page
    for warning in ("is not written to: complained.", "It was of use until", "Perhaps it"):
        assert warning in page


@pytest.mark.parametrize("seen", ["nonsense", "a@b", "@", "1@yesterday", f"{'9' * 30}@x"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_made_up_confirmation_changes_nothing(operator: Client, verb: str, seen: str) -> None:
    row = queue(email())
    posted = {"seen": seen, "at": tomorrow(), "reason": WHY}

    answer = operator.post(f"{LIST}{verb}/", posted, follow=True)

    assert answer.status_code == 200
    assert message_of(answer).startswith("0 ")
    assert Notification.objects.get().updated_at == row.updated_at


# Cancel and reschedule


def test_cancel_takes_back_what_waits(operator: Client) -> None:
    row = queue(email())

    told = confirm(operator, "cancel", ask(operator, "cancel", row))

    row.refresh_from_db()
    assert told == "1 cancelled."
    assert (row.status, row.reason) == (Status.CANCELLED, "by_staff")


def test_reschedule_asks_for_a_time_and_names_the_zone(operator: Client) -> None:
    row = queue(email())

    page = page_of(operator.post(f"{LIST}reschedule/", {"_selected_action": row.pk}))

    assert 'type="datetime-local"' in page
    assert "Europe/London" in page
    assert "ops-warning" not in page


def test_reschedule_moves_what_waits_to_that_time_in_the_clubs_zone(operator: Client) -> None:
    row, ended = queue(email()), failed()
    posted = ask(operator, "reschedule", row)
    posted["seen"] += f" {ended.pk}@{ended.updated_at.isoformat()}"
    at = tomorrow()

    told = confirm(operator, "reschedule", posted, at=at)

    row.refresh_from_db()
    assert re.fullmatch(r"1 rescheduled to .* (GMT|BST)\. Skipped: 1 failed\.", told)
    assert f"{timezone.localtime(row.due_at):%Y-%m-%dT%H:%M}" == at
    assert LogEntry.objects.get().get_change_message().startswith("Reschedule: 1 of 2, to ")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("", "Choose a day and a time."),
        ("soon", "That is no day and time"),
        ("2020-01-01T10:00", "That time is over"),
        ("9999-12-31T23:59", "more than a year ahead"),
    ],
)
def test_reschedule_asks_again_for_a_time_that_cannot_be(
    operator: Client, at: str, sentence: str
) -> None:
    row = queue(email())

    answer = operator.post(
        f"{LIST}reschedule/", {**ask(operator, "reschedule", row), "at": at}, follow=True
    )

    row.refresh_from_db()
    assert sentence in page_of(answer)
    assert str(row.pk) in answer.context["seen"]
    assert row.due_at is None


def test_reschedule_skips_what_is_in_doubt_and_what_is_of_no_use_by_then(operator: Client) -> None:
    doubtful = queue(email(), in_doubt_since=timezone.now())
    useless = queue(email(), expires_at=timezone.now() + timedelta(hours=1))
    seen = " ".join(f"{row.pk}@{row.updated_at.isoformat()}" for row in (doubtful, useless))

    told = confirm(operator, "reschedule", {"seen": seen}, at=tomorrow())

    assert "Skipped: 1 perhaps sent already, 1 of no use by then." in told
    assert not Notification.objects.exclude(due_at=None).exists()
