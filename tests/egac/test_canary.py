"""Failures by cause, and the retry of all with one cause under its canary."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac import channels
from egac.canary import CanaryRetry, First, retry_cause, settle_canaries, take_back
from egac.causes import cause_named, causes_of
from invites.models import Invite
from invites.services import retry_invites
from notifications.models import Notification
from notifications.passes import run_pass
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "Resend answered 422 validation_error: No mailbox {0}@x.example, id re_{0}ab."
Status = Notification.Status
State = CanaryRetry.State
MINUTE = timedelta(seconds=61)


def fail(count: int) -> None:
    for number in range(count):
        error = REFUSED.format(f"p{number}")
        queue(email(), status=Status.FAILED, reason="permanent", last_error=error)


def press(model: Any = Notification) -> CanaryRetry:
    (cause,) = causes_of(model)
    first = First(cause.newest[0], cause.last_at, cause.count)
    _, retry = retry_cause(cause, first=first, by="olga", why="mended", meaning="No box.")
    assert retry is not None
    return retry


def canary_is(retry: CanaryRetry, **fields: Any) -> None:
    retry.model.objects.filter(pk=retry.canary_key).update(**fields)


def pass_by(moved: timedelta) -> None:
    CanaryRetry.objects.update(started_at=F("started_at") - moved)


def as_they_failed(model: Any = Notification) -> dict[Any, Any]:
    rows = model.objects.order_by("pk")
    return {row.pk: (row.status, row.reason, row.last_error, row.generation) for row in rows}


def test_the_others_are_released_when_the_canary_has_arrived_and_a_minute_is_over() -> None:
    fail(4)
    retry = press()
    canary_is(retry, status=Status.COMPLETED)

    too_early = settle_canaries(Notification)
    pass_by(MINUTE)
    in_time = settle_canaries(Notification)

    assert (too_early, in_time) == (0, 1)
    assert Notification.objects.due().count() == 3
    assert not Notification.objects.exclude(canary=None).exists()


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"status": Status.FAILED}, "The test failed too."),
        ({"status": Status.CANCELLED, "reason": "suppressed"}, "The test was cancelled, not sent."),
        ({"attempts": 1, "due_at": Now() + MINUTE}, "The test failed too."),
        ({"in_doubt_since": Now()}, "Nobody knows whether the test arrived."),
        (
            {"generation": 3, "status": Status.COMPLETED},
            "The test was sent again by hand meanwhile.",
        ),
    ],
)
def test_the_others_stay_failed_as_they_were_when_it_ends_in_any_other_way(
    fields: dict[str, Any], because: str
) -> None:
    fail(4)
    before = as_they_failed()
    retry = press()
    canary_is(retry, **fields)
    pass_by(MINUTE)

    settle_canaries(Notification)

    retry.refresh_from_db()
    after = as_they_failed()
    assert (retry.state, retry.because, retry.changed) == (State.RETURNED, because, 3)
    assert sum(after[key] == before[key] for key in before) == 3
    assert not Notification.objects.exclude(canary=None).exists()


@pytest.mark.parametrize("hold", ["paused", "off", "dry run"])
def test_nobody_waits_for_ever_where_nothing_is_sent(
    provider: ProviderServer, settings: Settings, hold: str
) -> None:
    fail(3)
    retry, of_invites = press(), invite_retry()
    if hold == "paused":
        channels.pause("email", by="olga")
    settings.SENDING = hold != "off"
    settings.RESEND_DRY_RUN = hold == "dry run"
    pass_by(timedelta(hours=1))

    run_pass(limit=10, seconds=5)
    retry_invites()

    for each in (retry, of_invites):
        each.refresh_from_db()
        assert (each.state, each.because) == (
            State.RETURNED,
            "The test was not sent within an hour.",
        )
    assert not provider.resend.accepted


def invite_retry() -> CanaryRetry:
    told = {"code": "timeout", "message": "api.resend.com did not answer in time."}
    for _ in range(3):
        InviteFactory(status=Invite.Status.FAILED, reason="exhausted", last_error=told)
    return press(Invite)


def test_what_arrived_is_not_released_long_after_anybody_looked(provider: ProviderServer) -> None:
    fail(3)
    retry = press()
    run_pass(limit=10, seconds=5)
    settle_canaries(Notification)
    pass_by(timedelta(hours=1))

    run_pass(limit=10, seconds=5)

    retry.refresh_from_db()
    assert retry.state == State.RETURNED
    assert len(provider.resend.accepted) == 1


def test_a_dry_run_by_hand_settles_nothing(provider: ProviderServer) -> None:
    fail(3)
    retry, of_invites = press(), invite_retry()
    pass_by(timedelta(hours=1))

    run_pass(limit=10, seconds=5, dry_run=True)
    retry_invites(dry_run=True)

    assert set(CanaryRetry.objects.values_list("state", flat=True)) == {State.WAITING}
    assert retry.rows.count() == of_invites.rows.count() == 2


def test_when_it_was_last_seen_does_not_move_with_other_changes() -> None:
    fail(3)
    (before,) = causes_of(Notification)
    retry = press()

    take_back(retry.pk, source=retry.source, by="olga", now=timezone.now())
    Notification.objects.filter(pk=retry.canary_key).delete()

    (after,) = causes_of(Notification)
    assert after.first_at >= before.first_at
    assert after.last_at <= before.last_at


def test_errors_that_differ_in_ids_and_addresses_are_one_cause_and_others_another() -> None:
    fail(2)
    queue(email(), status=Status.FAILED, last_error="Resend answered 403 validation_error: Never.")

    causes = causes_of(Notification)

    assert [cause.count for cause in causes] == [2, 1]
    assert cause_named(Notification, causes[0].name) == causes[0]


def test_the_errors_of_invites_are_read_as_json() -> None:
    for number in range(3):
        error = {"code": "validation_error", "message": REFUSED.format(number)}
        InviteFactory(status=Invite.Status.FAILED, reason="permanent", last_error=error)

    (cause,) = causes_of(Invite)

    assert cause.count == 3


@pytest.mark.parametrize(
    ("model", "index"),
    [(Invite, "invites_failed_by_cause"), (Notification, "queue_failed_by_cause")],
)
def test_23_rows_of_a_cause_are_found_by_the_index_that_carries_its_rule(
    model: Any, index: str
) -> None:
    rows = model.objects.with_cause("none").order_by(F("failed_at").desc(nulls_last=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")

        plan = rows[:3].explain()

    assert index in plan
    assert "Sort" not in plan
