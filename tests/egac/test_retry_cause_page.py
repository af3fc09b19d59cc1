"""The buttons of the page of failures: what each does, for whom, and how often."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import F
from django.db.models.functions import Now

from egac.canary import CanaryRetry
from egac.causes import causes_of
from egac.staff import CHANGED_MEANWHILE
from invites.models import Invite
from notifications.models import Notification, Worker
from notifications.passes import run_pass
from tests.egac.failures import (
    PAGE,
    WHY,
    Status,
    ask,
    confirm,
    fail,
    fail_invites,
    page_of,
    press,
    url_of,
)
from tests.egac.threads import side_by_side
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer
from tests.staff import login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_goes_as_a_test_and_the_others_wait(provider: ProviderServer) -> None:
    rows = fail(3)
    Worker.objects.create(name="one", kind=Worker.Kind.LOOP)
    operator = login("Operators")

    told = press(operator)
    run_pass(limit=10, seconds=5)

    retry = CanaryRetry.objects.get()
    assert re.match(r"1 went as a test at [\d:]+ \w+; 2 wait for it until", told), told
    assert told.endswith("at least. 1 is due now: the worker sends it."), told
    assert len(provider.resend.accepted) == 1
    assert Notification.objects.filter(canary=retry.pk, status=Status.FAILED).count() == 2
    assert "and arrived; 2 wait for it until" in page_of(operator)
    entries = LogEntry.objects.filter(object_id__in=[str(row.pk) for row in rows])
    said = f"Retry all with this cause: 3 of 3. Reason: {WHY}"
    assert {entry.get_change_message() for entry in entries} == {said}
    assert len(entries) == 3


def test_they_are_released_a_minute_later_and_arrive(provider: ProviderServer) -> None:
    fail(3)
    operator = login("Operators")
    press(operator)
    run_pass(limit=10, seconds=5)
    CanaryRetry.objects.update(started_at=F("started_at") - timedelta(seconds=61))

    run_pass(limit=10, seconds=5)

    assert len(provider.resend.accepted) == 3
    assert "The test arrived, and 2 more were released on" in page_of(operator)


def test_a_test_of_invites_goes_at_once_though_no_run_is_due(provider: ProviderServer) -> None:
    fail_invites(3)

    told = press(login("Operators"), Invite)

    assert len(provider.resend.accepted) == 1
    assert "1 sent" in told, told
    assert CanaryRetry.objects.get().arrived_at


def test_a_test_that_is_refused_leaves_the_others_failed(provider: ProviderServer) -> None:
    invites = fail_invites(3)
    provider.resend.faults = always(Fault.error(422, "validation_error", "No such mailbox."))

    told = press(login("Operators"), Invite)

    assert told.startswith("The test failed too. So 2 stay failed as before"), told
    assert [invite.generation for invite in Invite.objects.order_by("generation")] == [1, 1, 2]
    assert len(invites) == Invite.objects.filter(status="failed", canary=None).count()


def test_18_a_forged_number_takes_no_more_than_it_says() -> None:
    fail(30)
    operator = login("Operators")
    url = url_of()
    posted = ask(operator, url)
    key, until, _ = posted["seen"].split("@")

    confirm(operator, url, {**posted, "seen": f"{key}@{until}@3"})

    assert CanaryRetry.objects.get().held == 2


def test_a_single_row_is_sent_at_once(provider: ProviderServer) -> None:
    fail_invites(1)

    told = press(login("Operators"), Invite)

    assert len(provider.resend.accepted) == 1
    assert "test" not in told, told
    assert not CanaryRetry.objects.exists()


def test_what_waits_can_be_taken_back_and_it_stands_in_the_history() -> None:
    fail(3)
    operator = login("Operators")
    press(operator)
    retry = CanaryRetry.objects.get()
    (waits,) = (each for each in causes_of(Notification))
    url = f"{PAGE}notifications_queue-{waits.name}/take-back/"

    mute = confirm(operator, url, {"retry": str(retry.pk), "reason": " "})
    assert retry.rows.count() == 2
    told = confirm(operator, url, {"retry": str(retry.pk), "reason": WHY})
    again = confirm(operator, url, {"retry": str(retry.pk), "reason": WHY})

    assert mute.startswith("Nothing was taken back: write why"), mute
    assert told.startswith("2 taken back. Taken back by operators"), told
    assert again.startswith("Nothing was taken back. Taken back by operators"), again
    assert not Notification.objects.exclude(canary=None).exists()
    said = [entry.get_change_message() for entry in LogEntry.objects.all()]
    assert said.count(f"Take back: 2 of 2. They stay failed as before. Reason: {WHY}") == 2


def test_what_changed_meanwhile_is_not_among_those_that_are_taken_back() -> None:
    fail(3)
    operator = login("Operators")
    press(operator)
    retry = CanaryRetry.objects.get()
    url = url_of(button="take-back")
    Notification.objects.filter(pk=retry.rows.first().pk).update(canary=None)

    told = confirm(operator, url, {"retry": str(retry.pk), "reason": WHY})

    assert told.startswith("1 taken back. Skipped: 1 changed by somebody else meanwhile."), told


def test_19_who_may_not_retry_messages_takes_none_of_them_back() -> None:
    fail(3)
    press(login("Operators"))
    fail_invites(2)
    of_invites = login()
    user = get_user_model().objects.get(pk=of_invites.session["_auth_user_id"])
    user.user_permissions.set(Permission.objects.filter(codename__in=["retry_invite"]))
    retry = CanaryRetry.objects.get()

    told = of_invites.post(url_of(Invite, "take-back"), {"retry": str(retry.pk), "reason": WHY})

    assert told.status_code == 302
    assert retry.rows.count() == 2


def test_many_are_confirmed_by_their_number_and_a_reason_is_asked() -> None:
    fail(27)
    operator = login("Operators")
    url = url_of()
    posted = ask(operator, url)

    without: Any = operator.post(url, {**posted, "reason": " ", "number": "27"})
    wrong: Any = operator.post(url, {**posted, "number": "26"})
    later: Any = operator.post(url, {**posted, "from": "25"})
    assert not CanaryRetry.objects.exists()
    told = confirm(operator, url, {**posted, "number": "27"})

    assert without.context["errors"] == {"reason": "Write a reason."}
    assert "You typed 26, but it is 27." in wrong.context["errors"]["number"]
    assert [later.context["first"], later.context["upto"]] == [26, 27]
    assert "26 wait for it" in told


def test_18_a_page_left_open_retries_nothing_that_failed_anew() -> None:
    [*_, newest] = fail(3)
    operator = login("Operators")
    url = url_of()
    posted = ask(operator, url)
    Notification.objects.filter(pk=newest.pk).update(failed_at=Now(), updated_at=Now())

    told = confirm(operator, url, posted)

    assert told.startswith("Nothing was retried: somebody retried them"), told
    assert not CanaryRetry.objects.exists()


def test_18_what_a_colleague_took_meanwhile_is_counted_as_skipped() -> None:
    [taken, *_] = fail(3)
    operator = login("Operators")
    url = url_of()
    posted = ask(operator, url)
    Notification.objects.filter(pk=taken.pk).cancel()

    told = confirm(operator, url, posted)

    assert "; 1 waits for it until" in told
    assert told.endswith(f"Skipped: 1 {CHANGED_MEANWHILE}."), told


def test_18_two_who_press_at_once_have_the_effect_of_one(provider: ProviderServer) -> None:
    fail_invites(3)
    people = [login("Operators"), login("Operators")]
    url = url_of(Invite)
    posted = [ask(person, url) for person in people]

    told = side_by_side(2, lambda number: confirm(people[number], url, posted[number]))

    assert sum(sentence.startswith("1 went as a test") for sentence in told) == 1, told
    assert sum(sentence.startswith("Nothing was retried") for sentence in told) == 1, told
    assert len(provider.resend.accepted) == 1
    assert CanaryRetry.objects.count() == 1
    assert LogEntry.objects.count() == 3


@pytest.mark.parametrize("button", ["retry", "take-back"])
def test_19_a_get_changes_nothing_and_a_viewer_is_refused(button: str) -> None:
    fail(2)
    operator, viewer = login("Operators"), login("Viewers")
    operator.get(PAGE)
    url = url_of(button=button)
    before = everything_stored()

    told = confirm(operator, url, {"reason": WHY}) if button == "take-back" else ""
    nonsense = confirm(operator, url, {"seen": "1@2026-03-03@9", "reason": WHY})
    followed = operator.get(url, follow=True).content.decode()

    assert viewer.post(url, {"seen": "1@x@2"}).status_code == 403
    assert "Nothing was changed" in followed
    assert button == "take-back" or "Nothing was changed" in nonsense
    assert operator.post(f"{PAGE}invites-nonsense/retry/").status_code == 404
    assert not told or "There is no such retry." in told
    assert everything_stored() == before
