"""Failures by cause, and the retry of all with one cause under its canary."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from egac.canary import CanaryRetry, First, retry_cause, settle_canaries, take_back
from egac.causes import cause_named, causes_of
from invites.models import Invite
from notifications.models import Notification
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue

pytestmark = pytest.mark.django_db

REFUSED = "Resend answered 422 validation_error: No mailbox {0}@x.example, id re_{0}ab."
Status = Notification.Status


def fail(count: int) -> None:
    for number in range(count):
        error = REFUSED.format(f"p{number}")
        queue(email(), status=Status.FAILED, reason="permanent", last_error=error)


def press() -> CanaryRetry:
    (cause,) = causes_of(Notification)
    first = First(cause.newest[0], cause.last_at)
    _, retry = retry_cause(cause, first=first, by="olga", why="mended", meaning="No box.")
    assert retry is not None
    return retry


def test_the_others_are_released_when_the_canary_has_arrived_and_a_minute_is_over() -> None:
    fail(4)
    retry = press()
    Notification.objects.filter(pk=retry.canary_key).update(status=Status.COMPLETED)

    too_early = settle_canaries(Notification)
    CanaryRetry.objects.update(started_at=F("started_at") - timedelta(seconds=61))
    in_time = settle_canaries(Notification)

    assert (too_early, in_time) == (0, 1)
    assert Notification.objects.due().count() == 3
    assert not Notification.objects.exclude(canary=None).exists()


@pytest.mark.parametrize("end", [Status.FAILED, Status.CANCELLED, "taken back"])
def test_the_others_stay_failed_as_they_were_when_it_ends_in_any_other_way(end: str) -> None:
    fail(4)
    before = {
        row.pk: (row.status, row.reason, row.last_error) for row in Notification.objects.all()
    }
    retry = press()

    if end == "taken back":
        take_back(retry.pk, by="olga", now=timezone.now())
    else:
        Notification.objects.filter(pk=retry.canary_key).update(status=end)
    settle_canaries(Notification)

    others = Notification.objects.exclude(pk=retry.canary_key)
    assert {(row.canary, row.generation) for row in others} == {(None, 1)}
    after = {row.pk: (row.status, row.reason, row.last_error) for row in others}
    assert after == {key: value for key, value in before.items() if key in after}


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
