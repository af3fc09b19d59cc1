"""In every order of events under a canary each row has one end, and none waits for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egac.canary import CanaryRetry, First, Refused, retry_cause, settle_canaries, take_back
from egac.causes import causes_of
from egac.models import Suppression
from invites.models import Enquiry, Invite
from notifications.models import Notification
from tests.egac.test_canary import MINUTE, State, Status, canary_is, fail, pass_by, press
from tests.egac.threads import in_a_thread, side_by_side, someone_waits, uncommitted
from tests.invites.factories import InviteFactory
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
ROWS = 4
ENDS = {
    "arrives": {"sent_at": Now()},
    "fails": {"status": "failed", "reason": "permanent", "failed_at": Now()},
    "is tried again": {"attempts": 1},
    "is in doubt": {"in_doubt_since": Now()},
    "is cancelled": {"status": "cancelled", "reason": "by_staff"},
    "expires": {"status": "cancelled", "reason": "expired"},
    "is suppressed": {"status": "cancelled", "reason": "suppressed"},
    "is sent again": {"generation": 9},
    "is being sent": {"status": "processing"},
}
steps = st.one_of(
    st.sampled_from(sorted(ENDS)).map(lambda end: ("canary", end)),
    st.sampled_from([("settle", ""), ("settle", ""), ("press", ""), ("take back", "")]),
    st.sampled_from([MINUTE, HOUR]).map(lambda moved: ("time", moved)),
    st.sampled_from(["cancel", "retry", "is written"]).map(lambda act: ("other", act)),
)


def start_with(model: Any) -> dict[Any, Any]:
    """Return the failed rows of an empty table, as they are."""
    for each in (CanaryRetry, Invite, Notification, Enquiry, Suppression):
        each.objects.all().delete()
    if model is Invite:
        told = {"code": "timeout", "message": "api.resend.com did not answer in time."}
        for _ in range(ROWS):
            InviteFactory(status="failed", reason="exhausted", last_error=told, failed_at=Now())
    else:
        fail(ROWS)
    return ends_of(model)


def ends_of(model: Any) -> dict[Any, Any]:
    names = ("status", "reason", "last_error", "generation", "attempts")
    return {row.pk: tuple(getattr(row, name) for name in names) for row in model.objects.all()}


def take(model: Any, step: str, what: Any) -> None:
    """Let one thing happen; whatever cannot be done now changes nothing."""
    retry = CanaryRetry.objects.order_by("pk").first()
    if step == "settle":
        settle_canaries(model)
    elif step == "time":
        pass_by(what)
    elif step == "press" or retry is None:
        begin(model)
    elif step == "take back":
        try_to_take_back(retry)
    elif step == "canary":
        fields = ENDS[what]
        is_sent = {"status": model.DONE} if what == "arrives" else {}
        canary_is(retry, **{**fields, **is_sent, "updated_at": Now()})
    else:
        change_another(model, retry, what)


def begin(model: Any) -> None:
    for cause in causes_of(model)[:1]:
        first = First(cause.newest[0], cause.last_at, cause.count)
        try:
            retry_cause(cause, first=first, by="olga", why="mended", meaning="It broke.")
        except Refused:
            return


def try_to_take_back(retry: CanaryRetry) -> None:
    try:
        take_back(retry.pk, source=retry.source, by="olga", now=timezone.now())
    except Refused:
        return


def change_another(model: Any, retry: CanaryRetry, act: str) -> None:
    row = model.objects.exclude(pk=retry.canary_key).order_by("pk")[:1]
    chosen = model.objects.filter(pk__in=list(row.values_list("pk", flat=True)))
    if act == "cancel":
        chosen.cancel()
    elif act == "retry":
        chosen.requeue()
    else:  # another program
        chosen.update(updated_at=Now())


def assert_sound(model: Any, failed: dict[Any, Any]) -> None:
    """What holds after every step: a mark is of a retry that waits, its row is failed as before."""
    waiting = set(CanaryRetry.objects.filter(state=State.WAITING).values_list("pk", flat=True))
    ends = ends_of(model)
    for row in model.objects.exclude(canary=None):
        assert row.canary in waiting
        assert ends[row.pk] == failed[row.pk]
    assert not model.objects.due().exclude(canary=None).exists()


@pytest.mark.parametrize("model", [Notification, Invite])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(steps, max_size=12))
def test_in_every_order_each_row_is_released_once_or_failed_as_before(
    model: Any, story: list[tuple[str, Any]]
) -> None:
    failed = start_with(model)
    take(model, "press", "")
    retry = CanaryRetry.objects.get()
    others = list(model.objects.filter(canary=retry.pk).values_list("pk", flat=True))

    for step, what in story:
        take(model, step, what)
        assert_sound(model, failed)
    pass_by(HOUR)
    settle_canaries(model)

    assert not CanaryRetry.objects.filter(state=State.WAITING).exists()
    assert not model.objects.exclude(canary=None).exists()
    retry.refresh_from_db()
    ends = ends_of(model)
    if not any(step in ("other", "press") for step, _ in story):
        released = [ends[key] for key in others if ends[key][0] == "pending"]
        as_before = [key for key in others if ends[key] == failed[key]]
        arrived = ("canary", "arrives") in story
        assert (len(released), len(as_before)) in ((len(others), 0), (0, len(others)))
        assert not released or (arrived and ("time", MINUTE) in story)
        assert (retry.state == State.RELEASED) is bool(released)


# Side by side


def test_22_of_those_who_settle_side_by_side_one_does(provider: ProviderServer) -> None:
    fail(5)
    canary_is(press(), status=Status.COMPLETED)
    pass_by(MINUTE)

    settled = side_by_side(4, lambda _: settle_canaries(Notification))

    assert sum(settled) == 1
    assert {row.generation for row in Notification.objects.all()} == {2}


def test_taken_back_while_it_is_settled_ends_in_one_way() -> None:
    fail(5)
    retry = press()
    canary_is(retry, status=Status.COMPLETED)
    pass_by(MINUTE)

    def one(number: int) -> str:
        if number:
            return f"settled {settle_canaries(Notification)}"
        try:
            take_back(retry.pk, source=retry.source, by="olga", now=timezone.now())
        except Refused:
            return "refused"
        return "taken back"

    told = side_by_side(2, one)

    retry.refresh_from_db()
    is_released = retry.state == State.RELEASED
    assert set(told) == ({"refused", "settled 1"} if is_released else {"taken back", "settled 0"})
    assert Notification.objects.filter(generation=2).count() == (5 if is_released else 1)
    assert not Notification.objects.exclude(canary=None).exists()


def test_18_what_is_cancelled_while_the_others_are_released_stays_cancelled() -> None:
    fail(3)
    retry = press()
    canary_is(retry, status=Status.COMPLETED)
    pass_by(MINUTE)
    row = retry.rows.order_by("pk").first()
    cancelled = Notification.objects.filter(pk=row.pk)

    with ThreadPoolExecutor(1) as pool:
        with uncommitted(cancelled.cancel):
            settling = pool.submit(in_a_thread(lambda: settle_canaries(Notification)))
            assert eventually(someone_waits, seconds=20)
        settling.result(20)

    retry.refresh_from_db()
    row.refresh_from_db()
    assert (retry.state, retry.changed) == (State.RELEASED, 1)
    assert (row.status, row.reason, row.canary) == (Status.CANCELLED, "by_staff", None)
