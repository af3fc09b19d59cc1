"""Every button of every page: for whom it works, how often, and what it tells (invariant 18)."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from egac import channels
from egac.console.actions import NOTHING_DONE, ActingAdmin, StaffAction
from egac.console.confirming import NO_REASON
from egac.models import Suppression
from egac.staff import CHANGED_MEANWHILE
from invites.models import Invite
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, ClassSessionFactory, EnrolmentFactory
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue
from tests.providers.server import ProviderServer
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "She asked for it."


def paused_channel() -> Any:
    channels.pause(channels.named("email").name, by="sam")
    return channels.named("email")


def class_that_is_over() -> Any:
    starts_at = timezone.now() - timedelta(hours=3)
    ends_at = starts_at + timedelta(hours=1)
    return ClassSessionFactory.create(starts_at=starts_at, ends_at=ends_at)


# A row that each button takes. A new button needs a line here.
TAKEN: dict[str, Callable[[], Any]] = {
    "egac_channel_pause": lambda: channels.named("email"),
    "egac_channel_resume": paused_channel,
    "egac_suppression_lift": lambda: Suppression.objects.create(address="a@b.example", reason="x"),
    "invites_invite_retry": lambda: InviteFactory(status="failed", reason="permanent"),
    "invites_invite_cancel": InviteFactory,
    "invites_invite_send": InviteFactory,
    "invites_invite_send_again": lambda: InviteFactory(status=Invite.Status.SENT),
    "notifications_notification_retry": lambda: queue(email(), status="failed", reason="permanent"),
    "notifications_notification_cancel": lambda: queue(email()),
    "notifications_notification_reschedule": lambda: queue(email()),
    "bookings_booking_confirm": lambda: BookingFactory.create(status="pending"),
    "bookings_booking_cancel": BookingFactory.create,
    "bookings_classsession_complete": class_that_is_over,
    "bookings_classsession_cancel": ClassSessionFactory.create,
    "bookings_enrolment_attended": lambda: EnrolmentFactory.create(session=class_that_is_over()),
    "bookings_enrolment_take_back": EnrolmentFactory.create,
    "bookings_enrolment_missed": lambda: EnrolmentFactory.create(session=class_that_is_over()),
    "billing_invoice_pay": InvoiceFactory,
    "billing_invoice_cancel": InvoiceFactory,
}


# What tells that a row of these changed, where it is not `updated_at`.
TOUCHED = {channels.Channel: "paused_at", Suppression: "created_at"}
# What stops something, or cannot be undone by a second press.
NOT_MUTE = {
    "egac_channel_pause",
    "egac_channel_resume",
    "egac_suppression_lift",
    "invites_invite_cancel",
    "invites_invite_send_again",
    "notifications_notification_cancel",
    "bookings_booking_cancel",
    "bookings_classsession_cancel",
    "billing_invoice_cancel",
}


def buttons() -> dict[str, tuple[ActingAdmin, StaffAction]]:
    """Return every button of every registered page, by the name of its address."""
    return {
        page.url_name(action.name): (page, action)
        for page in admin.site._registry.values()
        if isinstance(page, ActingAdmin)
        for action in page.staff_actions
    }


def typed() -> dict[str, str]:
    """Return what the forms of all buttons ask for."""
    today = timezone.localdate()
    return {
        "reason": WHY,
        "at": f"{today + timedelta(days=2)}T12:00",
        "amount": "1.00",
        "paid_on": str(today),
        "method": "cash",
    }


def staff(name: str, *, without: str) -> Client:
    """Return the browser of somebody who may do all but one thing."""
    user = get_user_model().objects.create_user(name, is_staff=True)
    label, _, codename = without.partition(".")
    others = Permission.objects.exclude(content_type__app_label=label, codename=codename)
    user.user_permissions.set(others)
    client = Client()
    client.force_login(user)
    return client


def ask(client: Client, url: str, row: Any) -> dict[str, str]:
    """Press the button; return what its page would post."""
    answer: Any = client.post(url, {"_selected_action": [str(row.pk)]})
    return {"seen": answer.context["seen"], "back": "", **typed()}


def confirm(client: Client, url: str, posted: dict[str, str]) -> str:
    """Press the button of the page that asks; return what the next page tells.

    It is read from the page: the test client mixes up the contexts of two threads.
    """
    page = client.post(url, posted, follow=True).content.decode()
    return html.unescape(
        " ".join(re.findall(r'<li class="(?:success|warning|error)">(.*?)</li>', page))
    )


def entries_of(row: Any) -> Any:
    """Return what the log holds of this row."""
    of_its_kind = ContentType.objects.get_for_model(row)
    return LogEntry.objects.filter(content_type=of_its_kind, object_id=str(row.pk))


def is_skipped(sentence: str) -> bool:
    """Return whether both numbers say that nothing was done."""
    return sentence.startswith(("0 ", "Nothing was ")) and "Skipped: 1" in sentence


@pytest.fixture(params=sorted(TAKEN))
def button(request: pytest.FixtureRequest, provider: ProviderServer) -> Any:
    """A button with its address and a row that it takes."""
    page, action = buttons()[request.param]
    row = TAKEN[request.param]()
    row.refresh_from_db()
    return action, page.url_of(action.name), row


def test_every_button_is_held_by_these_rules() -> None:
    assert set(buttons()) == set(TAKEN)


def test_19_it_refuses_who_has_every_permission_but_its_own(button: Any) -> None:
    action, url, row = button
    other = staff("other", without=action.permission)
    before = everything_stored()

    for posted in ({"_selected_action": [str(row.pk)]}, {"seen": f"{row.pk}@x", **typed()}):
        assert other.post(url, posted).status_code == 403

    assert everything_stored() == before


def test_18_a_get_changes_nothing_and_says_so(button: Any) -> None:
    _, url, _ = button
    manager = staff("sam", without="")
    manager.get("/admin/")
    before = everything_stored()

    answer: Any = manager.get(url, follow=True)

    assert [str(message) for message in answer.context["messages"]] == [NOTHING_DONE]
    assert everything_stored() == before


def test_18_to_ask_changes_nothing(button: Any) -> None:
    _, url, row = button
    manager = staff("sam", without="")
    before = everything_stored()

    posted = ask(manager, url, row)

    assert posted["seen"].startswith(f"{row.pk}@")
    assert everything_stored() == before


def test_18_a_page_left_open_changes_nothing_and_says_so(button: Any) -> None:
    _, url, row = button
    manager = staff("sam", without="")
    posted = ask(manager, url, row)
    touched = TOUCHED.get(type(row), "updated_at")
    type(row).objects.filter(pk=row.pk).update(**{touched: Now()})
    before = everything_stored()

    told = confirm(manager, url, posted)

    assert is_skipped(told), told
    assert CHANGED_MEANWHILE in told or "paused already" in told
    assert everything_stored() == before


def test_18_the_same_press_twice_has_the_effect_of_one(button: Any) -> None:
    _, url, row = button
    sam, kim = staff("sam", without=""), staff("kim", without="")
    posted, at_once = ask(sam, url, row), ask(kim, url, row)
    first = confirm(sam, url, posted)
    before = everything_stored()

    again, of_the_other = confirm(sam, url, posted), confirm(kim, url, at_once)

    assert first.startswith("1 "), first
    assert is_skipped(again), again
    assert is_skipped(of_the_other), of_the_other
    assert everything_stored() == before


def test_the_history_tells_who_did_what_with_how_many_and_why(button: Any) -> None:
    action, url, row = button
    sam = staff("sam", without="")

    confirm(sam, url, ask(sam, url, row))

    entry = entries_of(row).get()
    told = entry.get_change_message()
    assert entry.user.get_username() == "sam"
    assert told.startswith((f"{action.label}: 1 of 1", "1 recorded")), told
    assert told.endswith(f"Reason: {WHY}")


def test_what_touches_many_or_stops_something_is_never_done_without_a_reason() -> None:
    assert {name for name, (_, action) in buttons().items() if action.needs_reason} == NOT_MUTE


@pytest.mark.parametrize("name", sorted(NOT_MUTE))
def test_without_a_reason_it_changes_nothing_and_asks_for_one(
    name: str, provider: ProviderServer
) -> None:
    assert refusal_of(name, reason=" ") == NO_REASON


@pytest.mark.parametrize("name", buttons())
def test_for_a_reason_that_is_too_long_it_changes_nothing_and_says_by_how_much(
    name: str, provider: ProviderServer
) -> None:
    refusal = refusal_of(name, reason="x" * 201)

    assert "201 characters and at most 200 are kept" in refusal


def refusal_of(name: str, *, reason: str) -> str:
    """Press a button for this reason; return why not, after a look that nothing has changed."""
    page, action = buttons()[name]
    row, sam = TAKEN[name](), staff("sam", without="")
    posted = ask(sam, page.url_of(action.name), row)
    before = everything_stored()

    answer: Any = sam.post(page.url_of(action.name), {**posted, "reason": reason})

    assert everything_stored() == before
    assert list(answer.context["errors"]) == ["reason"]
    return str(answer.context["errors"]["reason"])


def test_18_two_who_press_at_once_have_the_effect_of_one(
    button: Any, provider: ProviderServer
) -> None:
    _, url, row = button
    people = [staff("sam", without=""), staff("kim", without="")]
    posted = [ask(person, url, row) for person in people]

    told = side_by_side(2, lambda number: confirm(people[number], url, posted[number]))

    assert sum(sentence.startswith("1 ") for sentence in told) == 1, told
    assert entries_of(row).count() == 1
    assert len(provider.resend.accepted) <= 1
