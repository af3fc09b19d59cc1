"""What the page that asks before a send shows, held against what then arrives at the provider."""

import html
import json
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from egac.console.message_parts import parts_of
from egac.delivery import MessageAudit, Suppression
from invites.models import Enquiry, Invite
from invites.services import retry_invites
from notifications.catalogue import TYPES, email_payload, sample_context, whatsapp_payload
from notifications.models import EmailBatch, Notification
from notifications.passes import run_pass
from tests.invites.factories import EnquiryFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = {
    Invite: "/admin/invites/invite/",
    Notification: "/admin/notifications/notification/",
}
SUPPRESSED = "bounced@families.example"
LONG_AGO = timezone.now() - timezone.timedelta(hours=30)
OLD = '{"to": ["old@families.example"], "subject": "Old", "html": "<p>Old</p>", "text": "Old"}'

names = st.sampled_from(["Amelia Hart", "Zoë <b>O'Neill</b>", "李 & sons", ""])
states = st.sampled_from(
    [
        {"status": "pending"},
        {"status": "pending", "attempts": 1, "rendered": OLD},
        {"status": "pending", "attempts": 1, "in_doubt_since": LONG_AGO},
        {"status": "failed", "reason": "exhausted", "attempts": 3, "rendered": OLD},
        {"status": "failed", "reason": "uncertain", "in_doubt_since": LONG_AGO},
        {"status": "cancelled", "reason": "by_staff", "preview": OLD},
    ]
)
addresses = st.sampled_from(["", "nobody", SUPPRESSED, None, None, None, None])
ends = st.sampled_from([None, None, LONG_AGO])
payloads = st.one_of(
    st.sampled_from(sorted(TYPES)).map(lambda type: (type, "email")),
    st.sampled_from(sorted(type for type, about in TYPES.items() if about.whatsapp)).map(
        lambda type: (type, "whatsapp")
    ),
    st.sampled_from([("theirs", "email"), ("theirs", "whatsapp"), ("theirs", "nonsense")]),
)


def stored(row: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state with its stored message as a first try of this row left it."""
    as_tried = {**json.loads(OLD), "from": "Old <old@club.example>"}
    as_tried["tags"] = [{"name": "row", "value": row.tag}]
    is_kept = {name: json.dumps(as_tried) for name in ("rendered", "preview") if state.get(name)}
    return {**state, **is_kept}


def make_invite(number: int, name: str, state: dict[str, Any], address: str | None) -> None:
    to = f"person{number}@families.example" if address is None else address
    invite = Invite.objects.create(enquiry=EnquiryFactory(name=name, email=to))
    invite.refresh_from_db()
    Invite.objects.filter(pk=invite.pk).update(**stored(invite, state))


def make_message(
    number: int, about: tuple[str, str], name: str, state: dict[str, Any], address: str | None
) -> None:
    type, channel = about
    own = f"+4477009{number:05d}" if channel == "whatsapp" else f"row{number}@families.example"
    to = own if address is None else address
    if state.get("rendered") and channel == "whatsapp":
        state = {**state, "rendered": None}
    made = {"email": email_payload, "whatsapp": whatsapp_payload}.get(channel)
    if type in TYPES and made and address is None:
        payload = made(type, to=to, context={**sample_context(type), "name": name or "Someone"})
    else:
        theirs = {"email": email, "whatsapp": whatsapp}.get(channel, lambda to: {"to": to})
        payload = theirs(to=to)
    row = queue(payload)
    row.refresh_from_db()
    Notification.objects.filter(pk=row.pk).update(type=type, **stored(row, state))


def press(client: Client, model: Any, keys: list[Any]) -> Any:
    """Press Retry now in the list; return what the page that asks shows."""
    return client.post(f"{LISTS[model]}retry/", {"_selected_action": [str(key) for key in keys]})


def key_of(line: Any) -> str:
    return str(line.preview.record_url.split("/")[-3])


def sent_by(provider: ProviderServer) -> dict[str, Any]:
    """Return each message that was taken, by the row and generation that it names."""
    taken = {}
    for call in provider.resend.accepted:
        taken[call.payload["tags"][0]["value"]] = call.payload
    for call in provider.whatsapp.accepted:
        taken[call.payload["biz_opaque_callback_data"]] = call.payload
    return taken


@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    some_invites=st.lists(st.tuples(names, states, addresses), max_size=5),
    some_messages=st.lists(st.tuples(payloads, names, states, addresses, ends), max_size=10),
)
def test_what_is_shown_is_what_arrives_and_who_is_skipped_gets_nothing(
    provider: ProviderServer, some_invites: list[Any], some_messages: list[Any]
) -> None:
    for model in (Invite, Notification, EmailBatch, Enquiry, Suppression, MessageAudit):
        model.objects.all().delete()
    provider.reset()
    Suppression.objects.create(address=SUPPRESSED, reason="bounced")
    for number, drawn in enumerate(some_invites):
        make_invite(number, *drawn)
    for number, (about, name, state, address, until) in enumerate(some_messages):
        make_message(number, about, name, {**state, "expires_at": until}, address)
    operator = login("Operators")
    shown = {model: look(operator, model) for model in LISTS}

    for model, (answer, _) in shown.items():
        posted = {"seen": answer.context["seen"], "back": ""}
        operator.post(f"{LISTS[model]}retry/", posted)
    retry_invites()
    run_pass(limit=100, seconds=20)

    arrived = sent_by(provider)
    for model, (answer, frames) in shown.items():
        for line in answer.context["lines"]:
            row = model.objects.get(pk=key_of(line))
            assert_as_shown(line.preview, frames.get(key_of(line)), row, arrived.get(row.tag))


def look(client: Client, model: Any) -> tuple[Any, dict[str, str]]:
    """Return the page that asks about all rows, and the page in each of its frames."""
    answer = press(client, model, list(model.objects.values_list("pk", flat=True)))
    frames = {
        key_of(line): client.get(line.preview.frame_url).content.decode()
        for line in answer.context["lines"]
        if line.preview.frame_url
    }
    return answer, frames


def assert_as_shown(preview: Any, frame: str | None, row: Any, message: Any) -> None:
    """Hold what was shown of a row against its message that arrived, links shortened."""
    if preview.ends:
        assert message is None, row
        assert row.status == preview.ends.removeprefix("would ").replace("fail", "failed").replace(
            "be cancelled", "cancelled"
        )
        return
    assert row.status == row.DONE, (row, row.last_error)
    masked = admin.site._registry[type(row)].masked
    assert preview.parts == masked(row, parts_of(message))
    assert frame == masked(row, message).get("html")


# The page


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def many(count: int) -> list[Invite]:
    people = Enquiry.objects.bulk_create(EnquiryFactory.build_batch(count))
    return Invite.objects.bulk_create(
        Invite(enquiry=person, status="failed", reason="exhausted") for person in people
    )


def post(client: Client, model: Any, **posted: Any) -> Any:
    return client.post(f"{LISTS[model]}{posted.pop('verb', 'retry')}/", posted, follow=True)


def words_of(answer: Any) -> str:
    return html.unescape(" ".join(answer.content.decode().split()))


@pytest.mark.parametrize("verb", ["retry", "cancel"])
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type 30 to say that you mean all of them. Nothing was changed."),
        ("25", "You typed 25, but it is 30. Nothing was changed: type 30"),
        ("thirty", "You typed thirty, but it is 30."),
    ],
)
def test_a_wrong_number_changes_nothing(
    operator: Client, verb: str, typed: str, sentence: str
) -> None:
    page = press(operator, Invite, [row.pk for row in many(30)])

    answer = post(operator, Invite, verb=verb, seen=page.context["seen"], number=typed)

    assert sentence in words_of(answer)
    assert Invite.objects.filter(status="failed", generation=1).count() == 30


def test_the_right_number_confirms_many(operator: Client) -> None:
    page = press(operator, Invite, [row.pk for row in many(30)])

    post(operator, Invite, seen=page.context["seen"], number=" 30 ")

    assert Invite.objects.due().count() == 30


def test_up_to_25_no_number_is_asked(operator: Client, provider: ProviderServer) -> None:
    page = press(operator, Invite, [row.pk for row in many(25)])

    post(operator, Invite, seen=page.context["seen"])

    assert 'name="number"' not in words_of(page)
    assert Invite.objects.filter(status="sent").count() == 25


def test_the_rest_is_seen_25_at_a_time_and_looking_changes_nothing(operator: Client) -> None:
    page = press(operator, Invite, [row.pk for row in many(60)])
    seen = page.context["seen"]

    pages = [post(operator, Invite, seen=seen, **{"from": start}) for start in ("0", "25", "50")]

    shown = [key_of(line) for each in pages for line in each.context["lines"]]
    assert [len(each.context["lines"]) for each in pages] == [25, 25, 10]
    assert len(set(shown)) == 60
    assert {each.context["seen"] for each in pages} == {seen}
    assert Invite.objects.filter(status="failed", generation=1).count() == 60


def test_what_will_not_go_is_counted_and_comes_first(operator: Client) -> None:
    rows = many(26)
    last = max(rows, key=lambda row: row.pk)
    Suppression.objects.create(address=last.recipient, reason="bounced")

    page = press(operator, Invite, [row.pk for row in rows])

    words = "25 of 26 would be sent. Not sent: 1, because the address must not be written to."
    assert words in words_of(page)
    assert key_of(page.context["lines"][0]) == str(last.pk)


def test_what_changed_since_the_first_try_is_marked_in_words(operator: Client) -> None:
    [invite] = many(1)
    Invite.objects.filter(pk=invite.pk).update(rendered=OLD)

    page = words_of(press(operator, Invite, [invite.pk]))

    assert "What changed since it was first tried" in page
    assert "<del>" in page
    assert "<ins>" in page
    assert "taken out: </span>old@" in page.replace("</span>Old", "</span>old@")
    assert f"invite={invite.token}" not in page


def test_what_did_not_change_is_not_marked(operator: Client, provider: ProviderServer) -> None:
    [invite] = many(1)
    retry = press(operator, Invite, [invite.pk])
    post(operator, Invite, seen=retry.context["seen"])
    Invite.objects.update(status="failed", reason="exhausted")

    page = press(operator, Invite, [invite.pk])

    assert not page.context["lines"][0].preview.is_changed
    assert "What changed" not in words_of(page)


def test_a_waiting_one_that_was_tried_is_said_to_go_as_it_was(operator: Client) -> None:
    [invite] = many(1)
    Invite.objects.filter(pk=invite.pk).update(status="pending", reason=None, rendered=OLD)

    page = words_of(press(operator, Invite, [invite.pk]))

    assert "goes once more exactly as it was then, although its data changed since." in page


def test_says_that_they_will_wait_where_sending_is_off(
    operator: Client, settings: Settings
) -> None:
    settings.SENDING = False

    page = words_of(press(operator, Invite, [row.pk for row in many(2)]))

    assert "They will wait for now. Held. Sending is switched off (SENDING=off)" in page


def test_19_only_who_may_send_sees_what_would_go() -> None:
    [invite] = many(1)
    url = f"{LISTS[Invite]}{invite.pk}/would-send/"

    answers = [client.get(url).status_code for client in (login("Viewers"), login("Operators"))]

    assert answers == [403, 200]


def test_the_frame_has_the_policy_of_an_email(operator: Client) -> None:
    [invite] = many(1)

    answer = operator.get(f"{LISTS[Invite]}{invite.pk}/would-send/")

    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("key", ["00000000-0000-4000-8000-000000000001", "nonsense"])
def test_there_is_no_frame_of_a_row_that_is_not_there(operator: Client, key: str) -> None:
    assert operator.get(f"{LISTS[Invite]}{key}/would-send/").status_code == 404
