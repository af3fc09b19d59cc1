"""What delivery events mean: the state of a message, the row it names, whom not to write to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egac.delivery import Suppression, events_of
from egac.events import (
    NOBODY,
    delivery_state,
    plain,
    receive,
    row_named,
    why_not_to_write,
    words_of,
)
from egac.webhooks import told_by_resend
from invites.models import Invite
from invites.services import retry_invites
from tests.egac.told import KINDS, an_event, audit, by_resend, by_whatsapp
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer

# The state of a message


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ([], ""),
        (["sent"], "sent"),
        (["delivered", "sent", "delayed"], "delivered"),
        (["read", "delivered"], "read"),
        (["sent", "failed"], "failed"),
        (["failed", "delivered"], "delivered"),
        (["delivered", "bounced", "opened"], "bounced"),
        (["complained", "bounced", "clicked"], "complained"),
    ],
)
def test_the_most_telling_event_is_the_state(kinds: list[str], state: str) -> None:
    assert delivery_state(an_event(kind) for kind in kinds) == state


@given(st.lists(st.sampled_from(KINDS), max_size=8).flatmap(st.permutations), st.data())
def test_invariant_21_events_in_any_order_give_the_same_state(
    kinds: list[str], data: st.DataObject
) -> None:
    events = [an_event(kind) for kind in kinds]
    other_order = data.draw(st.permutations(events))
    told_twice = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []

    assert delivery_state([*other_order, *told_twice]) == delivery_state(events)


@given(st.lists(st.sampled_from(KINDS)), st.sampled_from(KINDS))
def test_the_state_only_moves_forward(kinds: list[str], kind: str) -> None:
    rank = ["", *KINDS].index

    before = delivery_state(an_event(each) for each in kinds)
    after = delivery_state(an_event(each) for each in [*kinds, kind])

    assert rank(after) >= rank(before)


# What an event names


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        ("notifications_queue-42_3", ("notifications_queue", "42", 3)),
        ("notifications_queue-42", ("notifications_queue", "42", None)),
        ("notifications_queue-042", ("notifications_queue", "42", None)),
        ("notifications_queue-42_", NOBODY),
        ("notifications_queue-42_0", NOBODY),
        ("notifications_queue-42_x", NOBODY),
        ("notifications_queue-42_3_4", NOBODY),
        (f"notifications_queue-42_{2**31}", NOBODY),
        ("notifications_queue-99999999999", NOBODY),
        ("notifications_queue-x", NOBODY),
        ("notifications_queue-", NOBODY),
        ("notifications_queue", NOBODY),
        ("auth_user-1", NOBODY),
        ("invites-1", NOBODY),
        ("", NOBODY),
        (None, NOBODY),
        (42, NOBODY),
    ],
)
def test_a_tag_names_a_row_of_ours_or_none(tag: object, named: tuple[str, str, int | None]) -> None:
    assert row_named(tag) == named


def test_a_tag_names_an_invite() -> None:
    key = "0d9b1d4e-5d3a-4f5e-9d4b-0d6f3c2b1a00"

    assert row_named(f"invites-{key.upper()}") == ("invites", key, None)
    assert row_named(f"invites-{key}_2") == ("invites", key, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\0b", "ab"), ("\ud800", "?"), (7, ""), (None, ""), ("x" * 900, "x" * 500)],
)
def test_keeps_what_a_database_can_hold(value: object, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize("event", [{}, {"type": "email.sent"}, {"type": ["email.sent"]}])
def test_an_event_that_cannot_be_read_is_of_no_use(event: dict[str, Any]) -> None:
    assert told_by_resend(event, event_id="msg_1") is None


def test_the_link_that_was_clicked_is_not_kept() -> None:
    told = by_resend("clicked", click={"link": "https://club.example/bookings?invite=secret"})

    assert "secret" not in str(told)


@pytest.mark.django_db
def test_shows_the_events_of_a_row_by_its_tag_or_by_its_message() -> None:
    row, other = queue(email()), queue(email())
    receive(by_resend("sent", row))
    receive(by_resend("sent", message="re_2"))
    receive(by_resend("opened", other, message="re_3"))
    assert [event.provider_message_id for event in events_of("notifications_queue", row.pk)] == [
        "re_1"
    ]

    audit(row, provider_message_id="re_2")  # our own commit comes after the event

    found = events_of("notifications_queue", row.pk)
    assert [event.provider_message_id for event in found] == ["re_1", "re_2"]


# Suppression


@pytest.mark.parametrize(
    ("kind", "code", "detail", "why"),
    [
        (
            "bounced",
            "Permanent",
            "NoEmail: Gone.",
            "Hard bounce on 21 November 2026: NoEmail: Gone",
        ),
        ("bounced", "Permanent", "", "Hard bounce on 21 November 2026"),
        ("bounced", "Transient", "MailboxFull", ""),
        ("bounced", "Undetermined", "", ""),
        ("bounced", "", "", ""),
        ("complained", "", "", "Complaint on 21 November 2026: a message was marked as spam"),
        ("suppressed", "", "x.", "Withheld by the provider on 21 November 2026: x"),
        ("failed", "131026", "Message undeliverable", ""),
        ("delayed", "", "", ""),
        ("delivered", "Permanent", "", ""),
    ],
)
def test_tells_why_an_address_is_not_written_to(
    kind: str, code: str, detail: str, why: str
) -> None:
    assert why_not_to_write(an_event(kind, code=code, detail=detail)) == why


@pytest.mark.django_db
def test_suppresses_an_address_once_and_keeps_the_first_reason() -> None:
    receive(by_resend("bounced", to=["Amelia <Amelia@Families.example>"]))
    receive(by_resend("complained"))

    found = Suppression.objects.get()
    assert found.address == "amelia@families.example"
    assert found.reason.startswith("Hard bounce on ")


@pytest.mark.django_db
def test_takes_the_address_of_the_row_where_the_event_has_none() -> None:
    receive(by_resend("complained", queue(email("ben@families.example")), to=None))
    receive(by_resend("complained", to="not an address"))

    assert Suppression.objects.get().address == "ben@families.example"


@pytest.mark.django_db
def test_a_suppression_that_staff_lifted_does_not_come_back_with_the_same_event() -> None:
    told = by_resend("bounced")
    receive(told)
    Suppression.objects.all().delete()

    receive(told)

    assert not Suppression.objects.exists()


@pytest.mark.django_db
def test_a_number_that_is_not_on_whatsapp_suppresses_nothing() -> None:
    receive(by_whatsapp("failed", queue(whatsapp())))

    assert not Suppression.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_later_invite_to_an_address_that_bounced_is_cancelled(provider: ProviderServer) -> None:
    receive(by_resend("bounced", queue(email("amelia@families.example"))))
    InviteFactory(enquiry__email="Amelia@families.example")

    retry_invites(seconds=5)

    invite = Invite.objects.get()
    assert (invite.status, invite.reason) == (Invite.Status.CANCELLED, "suppressed")
    assert "Hard bounce on" in str(invite.last_error)
    assert provider.resend.calls == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"code": "131026", "detail": "Undeliverable."},
            "failed to send it: 131026 Undeliverable.",
        ),
        ({"code": "reached_daily_quota"}, "failed to send it: reached_daily_quota."),
        ({}, "failed to send it: no reason was given."),
    ],
)
def test_tells_a_failure_in_a_sentence(told: dict[str, str], words: str) -> None:
    failure = an_event("failed", provider="whatsapp", **told)

    assert words_of(failure) == f"WhatsApp took the message and then {words}"
