"""Pausing and resuming a channel, and the list of whom not to write to."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django.fixtures import Settings

from egac import channels
from egac.models import Channel, MessageAudit, Suppression
from tests.staff import login

pytestmark = pytest.mark.django_db

LIFT = "/admin/egac/suppression/lift/"
WHY = "The provider changes its keys."


def suppressed() -> Suppression:
    row = Suppression.objects.create(address="a@b.example", reason="bounced")
    row.refresh_from_db()
    return row


def lift(row: Suppression, *others: str) -> str:
    """Lift a suppression as a manager; return the message that follows."""
    seen = " ".join([f"{row.pk}@{row.created_at.isoformat()}", *others])
    return message_of(login("Managers").post(LIFT, {"seen": seen, "reason": WHY}, follow=True))


def message_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def press(client: Client, action: str, channel: str = "email") -> str:
    """Press the button on the page that asks, and return the page that follows."""
    url = f"/admin/egac/channel/{action}/"
    asked = client.post(url, {"_selected_action": channel}).context
    seen = {"seen": asked["seen"], "back": asked["back"], "reason": WHY}
    return client.post(url, seen, follow=True).content.decode()


def test_a_manager_pauses_and_resumes_a_channel() -> None:
    channels.named("email")
    manager = login("Managers")

    paused = press(manager, "pause")
    was_paused = channels.why_closed("email")
    resumed = press(manager, "resume")

    assert "1 paused." in paused
    assert was_paused.startswith("The e-mail channel was paused by managers")
    assert "1 resumed." in resumed
    assert channels.why_closed("email") == ""
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("group", "buttons"), [("Managers", ["Pause"]), ("Operators", []), ("Viewers", [])]
)
def test_its_page_offers_what_can_be_done_with_a_channel(group: str, buttons: list[str]) -> None:
    channels.named("email")

    page: Any = login(group).get("/admin/egac/channel/email/change/")

    assert [each["label"] for each in page.context["buttons"]] == buttons
    assert page.content.decode().count('formaction="/admin/egac/channel/pause/"') == len(buttons)


def test_pressed_on_its_page_a_button_leads_back_there() -> None:
    channels.named("email")
    manager, url = login("Managers"), "/admin/egac/channel/pause/"
    asked: Any = manager.post(url, {"_selected_action": "email", "back": "record"})
    seen = {"seen": asked.context["seen"], "back": asked.context["back"], "reason": WHY}

    answer: Any = manager.post(url, seen)

    assert answer["Location"] == "/admin/egac/channel/email/change/"


def test_18_pausing_a_channel_that_a_colleague_paused_says_so() -> None:
    channels.named("email")
    manager = login("Managers")
    asked = manager.post("/admin/egac/channel/pause/", {"_selected_action": "email"}).context
    channels.pause("email", by="amelia")

    posted = {"seen": asked["seen"], "reason": WHY}
    page = manager.post("/admin/egac/channel/pause/", posted, follow=True)

    assert "0 paused. Skipped: 1 paused already." in page.content.decode()
    assert Channel.objects.get().paused_by == "amelia"


def test_the_list_of_channels_says_why_one_is_closed() -> None:
    channels.named("email")
    channels.pause("email", by="amelia")

    page = login("Viewers").get("/admin/egac/channel/").content.decode()

    assert "The e-mail channel was paused by amelia." in page


def test_the_list_of_channels_leads_to_the_page_of_each() -> None:
    Channel.objects.create(name="email")

    page = login("Viewers").get("/admin/egac/channel/").content.decode()

    assert '<a href="/admin/egac/channel/email/change/">E-mail</a>' in page


def test_an_attempt_names_its_channel_as_the_filter_beside_it_does() -> None:
    sent = {"generation": 1, "attempt": 1, "counted": True, "outcome": "accepted"}
    MessageAudit.objects.create(source="invites", source_id="1", channel="email", **sent)

    page = login("Viewers").get("/admin/egac/messageaudit/").content.decode()

    assert '<td class="field-way">e-mail</td>' in page


@pytest.mark.parametrize(
    ("setting", "told", "words"),
    [
        (1, None, "1 call a second<"),
        (5, None, "5 calls a second<"),
        (5, 2, "2 calls a second (all that the provider allows; RESEND_RATE_LIMIT is 5)<"),
        (2, 10, "2 calls a second (RESEND_RATE_LIMIT; the provider allows 10)<"),
        (None, 10, "10 calls a second (RESEND_RATE_LIMIT is not set, so the provider decides)<"),
    ],
)
def test_the_list_of_channels_says_how_fast_one_goes_and_why(
    settings: Settings, setting: float | None, told: float | None, words: str
) -> None:
    settings.RESEND_RATE_LIMIT = setting
    Channel.objects.create(name="email", told_rate=told)

    page = login("Viewers").get("/admin/egac/channel/").content.decode()

    assert words in page


def test_a_suppression_needs_a_reason() -> None:
    manager = login("Managers")

    manager.post("/admin/egac/suppression/add/", {"address": "a@b.example", "reason": ""})

    assert not Suppression.objects.exists()


def test_an_address_is_suppressed_once_however_it_is_written() -> None:
    manager = login("Managers")
    form = {"address": "A@B.example", "reason": "asked on the phone"}
    manager.post("/admin/egac/suppression/add/", form)

    page = manager.post("/admin/egac/suppression/add/", {**form, "address": "a@b.EXAMPLE"})

    assert "This address is suppressed already." in page.content.decode()
    assert Suppression.objects.get().address == "a@b.example"


def test_a_manager_lifts_a_suppression() -> None:
    row = suppressed()

    told = lift(row)

    assert told.startswith("1 lifted. What was not sent meanwhile: retry it"), told
    assert not Suppression.objects.exists()


def test_lifting_tells_how_many_were_left_alone_and_why() -> None:
    row = suppressed()

    told = lift(row, "4711@2026-03-03T10:00:00+00:00")

    assert told.startswith("1 lifted. Skipped: 1 no longer there."), told


def test_an_address_that_bounced_again_meanwhile_stays_suppressed() -> None:
    row = suppressed()
    seen = f"{row.pk}@2026-03-03T10:00:00+00:00"

    told = message_of(login("Managers").post(LIFT, {"seen": seen, "reason": WHY}, follow=True))

    assert told == "0 lifted. Skipped: 1 changed by somebody else meanwhile."
    assert Suppression.objects.exists()


def test_the_stock_page_that_deletes_without_a_reason_is_closed() -> None:
    row = suppressed()
    url = f"/admin/egac/suppression/{row.pk}/delete/"

    assert login("Managers").post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("page", "posted"),
    [
        ("egac/channel/%00/change/", None),
        ("jobs/jobrun/?job=%00", None),
        ("egac/channel/pause/", {"_selected_action": ["\0"]}),
    ],
)
def test_a_name_that_postgresql_refuses_is_no_failure(page: str, posted: Any) -> None:
    client = login("Managers")

    answer = client.post(f"/admin/{page}", posted) if posted else client.get(f"/admin/{page}")

    assert answer.status_code == 400
