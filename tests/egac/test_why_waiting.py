"""What is said of an open row, state by state. That it is true: tests/end_to_end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from egac.channels import Channel
from egac.why_waiting import Kind, Way, why_waiting
from invites.models import Invite
from notifications.models import Notification

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
SOON, TOMORROW = NOW + timedelta(minutes=40), NOW + timedelta(days=1)
DAY = timedelta(hours=24)
Status = Invite.Status


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.MAX_INVITE_RETRIES = 3


def told(*, ends_unsent: str = "", row: Any = None, **fields: Any) -> tuple[Kind, str]:
    """Return what is said of an invite with these fields; the rest of them describe its way."""
    beside = {name: fields.pop(name) for name in ("held", "channel", "no_sender") if name in fields}
    way = Way("email", timedelta(seconds=30), DAY, sender="the run at 10:15 GMT", **beside)
    row = row or Invite(**{"status": Status.PENDING, "attempts": 0, "updated_at": NOW, **fields})
    wait = why_waiting(row, way, now=NOW, ends_unsent=ends_unsent)
    assert wait is not None
    return wait.kind, wait.sentence


def channel(**fields: Any) -> Channel:
    return Channel(**{"name": "email", "paused_by": "", "held_because": "", **fields})


@pytest.mark.parametrize(
    ("fields", "kind", "sentence"),
    [
        ({}, Kind.DUE_NOW, "Due now: the run at 10:15 GMT sends it, attempt 1 of 3."),
        (
            {"status": Status.FAILED, "attempts": 1},
            Kind.DUE_NOW,
            "Due now: the run at 10:15 GMT sends it, attempt 2 of 3.",
        ),
        (
            {"no_sender": "no worker was seen for 6 minutes: start one"},
            Kind.DUE_NOW,
            "Due now, attempt 1 of 3, but no worker was seen for 6 minutes: start one.",
        ),
        (
            {"ends_unsent": "its address must not be written to (bounced)"},
            Kind.DUE_NOW,
            "Due now: the run at 10:15 GMT sends it, attempt 1 of 3. But its address must not be "
            "written to (bounced): it will not be sent.",
        ),
        (
            {"due_at": SOON},
            Kind.LATER,
            "Waiting for its time: attempt 1 of 3 at 10:40 GMT.",
        ),
        ({"due_at": SOON, "attempts": 1}, Kind.LATER, "Waiting: attempt 2 of 3 at 10:40 GMT."),
        (
            {"due_at": TOMORROW, "attempts": 1},
            Kind.LATER,
            "Waiting: attempt 2 of 3 on 4 March 2026 at 10:00 GMT.",
        ),
        (
            {"attempts": 1, "in_doubt_since": NOW, "due_at": SOON},
            Kind.LATER,
            "Perhaps it arrived: the same call is repeated at 10:40 GMT, which cannot arrive "
            "twice.",
        ),
        (
            {"attempts": 3, "in_doubt_since": NOW - DAY},
            Kind.DUE_NOW,
            "Perhaps it arrived, and a repeat might arrive twice: the next run ends it as failed, "
            "for a person to decide.",
        ),
        (
            {"attempts": 3},
            Kind.USED_UP,
            "All 3 attempts are used: the next run ends it as failed.",
        ),
        (
            {"held": "Sending is switched off (SENDING=off): messages wait."},
            Kind.HELD,
            "Held. Sending is switched off (SENDING=off): messages wait.",
        ),
        (
            {"held": "Dry run.", "due_at": SOON},
            Kind.HELD,
            "Held. Dry run. Its own time is 10:40 GMT.",
        ),
        (
            {"channel": channel(paused_at=NOW - timedelta(minutes=48), paused_by="ana")},
            Kind.PAUSED,
            "Held: ana paused the e-mail channel at 09:12 GMT. It goes when somebody resumes the "
            "channel.",
        ),
        (
            {"channel": channel(held_until=SOON, held_because="unknown")},
            Kind.CLOSED,
            "Held by the breaker until 10:40 GMT: the provider does not answer. It is tried again "
            "by itself then.",
        ),
        (
            {"channel": channel(held_until=TOMORROW, held_because="daily_quota")},
            Kind.CLOSED,
            "Held until 4 March 2026 at 10:00 GMT: today's quota of the provider is used up. It is "
            "tried again by itself then.",
        ),
        (
            {"channel": channel(held_until=SOON, held_because="unknown"), "due_at": TOMORROW},
            Kind.LATER,
            "Waiting for its time: attempt 1 of 3 on 4 March 2026 at 10:00 GMT.",
        ),
        (
            {"channel": channel(held_until=NOW, held_because="unknown")},
            Kind.DUE_NOW,
            "Due now: the run at 10:15 GMT sends it, attempt 1 of 3.",
        ),
        (
            {"status": Status.PROCESSING, "lease_ends_at": SOON, "call_started_at": NOW},
            Kind.BEING_SENT,
            "It is being sent now, since 10:00:00 GMT.",
        ),
        (
            {"status": Status.PROCESSING, "lease_ends_at": NOW - timedelta(minutes=1)},
            Kind.LOST,
            "Its sender was last heard of at 10:00 GMT. The next run finds out what became of it.",
        ),
    ],
)
def test_says_why_a_row_waits_and_until_when(
    fields: dict[str, Any], kind: Kind, sentence: str
) -> None:
    assert told(**fields) == (kind, sentence)


@pytest.mark.parametrize(
    ("in_doubt_since", "due_at", "sentence"),
    [
        (None, None, "It is in a batch of e-mails that is being sent."),
        (
            NOW,
            SOON,
            "Perhaps it arrived: its batch of e-mails got no clear answer and is sent again at "
            "10:40 GMT, which cannot arrive twice.",
        ),
    ],
)
def test_a_row_in_an_open_batch_goes_with_it(
    in_doubt_since: datetime | None, due_at: datetime | None, sentence: str
) -> None:
    row = Notification(status="processing", updated_at=NOW)
    row.is_frozen = True  # type: ignore[attr-defined]
    row.batch_due_at, row.batch_in_doubt_since = due_at, in_doubt_since  # type: ignore[attr-defined]

    assert told(row=row) == (Kind.IN_BATCH, sentence)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.SENT},
        {"status": Status.CANCELLED, "reason": "by_staff"},
        {"status": Status.FAILED, "reason": "exhausted"},
        {"status": Status.FAILED, "attempts": 3},
    ],
)
def test_nothing_is_said_of_what_has_ended(fields: dict[str, Any]) -> None:
    row = Invite(**{"attempts": 0, **fields})

    assert why_waiting(row, Way("email", DAY, DAY), now=NOW) is None
