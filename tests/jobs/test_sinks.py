"""Who is told of an alert: everyone, once a day at most; one who is deaf stops no other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from jobs import alerts
from jobs.alerts import tell_sinks
from jobs.models import Alert
from jobs.sinks import SINKS, Notice, Sink
from tests.jobs.looks import DAY, NOON, QUARTER, Look, finding
from tests.providers.faults import Fault, always, no_fault
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db


def test_a_day_long_cause_is_one_issue_with_one_comment_at_most_and_it_closes(
    look: Look, alarms: ProviderServer
) -> None:
    for quarter in range(96):
        look(finding(), at=NOON + quarter * QUARTER)
    before = [comment.body for comment in alarms.github.issues[0].comments]

    look(at=NOON + DAY)

    [issue] = alarms.github.issues
    assert before == []
    assert issue.state == "closed"
    assert [comment.body.splitlines()[0] for comment in issue.comments] == [
        "It is over. Since Tuesday 24 November 2026 at 12:00 GMT, "
        "until Wednesday 25 November 2026 at 12:00 GMT."
    ]


def test_a_cause_that_changes_all_day_is_told_of_once_more(
    look: Look, alarms: ProviderServer
) -> None:
    for quarter in range(96):
        look(finding(f"The pool has {quarter} degrees."), at=NOON + quarter * QUARTER)

    assert [text.splitlines()[0] for text in alarms.slack.texts] == [
        "The pool has 0 degrees.",
        "The pool has 1 degrees.",
    ]
    assert len(alarms.github.issues[0].comments) == 1


def test_every_sink_hears_of_the_end(look: Look, alarms: ProviderServer) -> None:
    look(finding())

    look(at=NOON + QUARTER)
    look(at=NOON + 2 * QUARTER)

    assert alarms.slack.texts[-1].startswith("Over: The pool is cold.")
    assert len(alarms.slack.texts) == 2
    assert alarms.opsgenie.open == {}
    assert alarms.github.issues[0].state == "closed"


def test_says_what_to_do_and_where(look: Look, alarms: ProviderServer) -> None:
    look(finding())

    assert alarms.slack.texts == [
        "The pool is cold.\nWhat to do: Heat it.\nWhere: https://ops.club.example/admin/\n"
        "Since Tuesday 24 November 2026 at 12:00 GMT."
    ]


@pytest.mark.parametrize("deaf", ["github", "slack", "opsgenie"])
def test_a_sink_that_fails_stops_no_other_and_is_told_later(
    look: Look, alarms: ProviderServer, deaf: str
) -> None:
    getattr(alarms, deaf).faults = always(Fault.unavailable())
    look(finding())
    getattr(alarms, deaf).faults = no_fault
    told_meanwhile = told_of(alarms)

    look(finding(), at=NOON + QUARTER)

    assert sorted(told_meanwhile) == sorted({"github", "slack", "opsgenie"} - {deaf})
    assert sorted(told_of(alarms)) == ["github", "opsgenie", "slack"]


def told_of(alarms: ProviderServer) -> list[str]:
    heard = {
        "github": alarms.github.issues,
        "slack": alarms.slack.texts,
        "opsgenie": alarms.opsgenie.open,
    }
    return [name for name, what in heard.items() if what]


def test_an_error_of_a_sink_stands_with_the_alert(look: Look, alarms: ProviderServer) -> None:
    alarms.github.has_issues = False

    look(finding())

    told = Alert.objects.get().told
    assert "issues are turned off" in told["GitHub"]["error"]
    assert "error" not in told["Slack"]


def test_a_sink_that_breaks_with_an_odd_error_stops_no_other(
    look: Look, alarms: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(notice: Notice) -> None:
        raise RuntimeError("a \0 that jsonb refuses")

    monkeypatch.setitem(SINKS, "GitHub", Sink("GitHub", lambda: True, break_down))

    look(finding())

    assert Alert.objects.get().told["GitHub"]["error"] == "a  that jsonb refuses"
    assert len(alarms.slack.texts) == 1


def test_a_sink_is_left_alone_for_as_long_as_it_asked(look: Look, alarms: ProviderServer) -> None:
    alarms.slack.faults = always(Fault.error(429, "429", "slow down", retry_after="3600"))
    look(finding())
    alarms.slack.faults = no_fault

    look(finding(), at=NOON + QUARTER)
    told_too_early = len(alarms.slack.texts)
    look(finding(), at=NOON + timedelta(minutes=61))

    assert (told_too_early, len(alarms.slack.texts)) == (0, 1)


def test_a_sink_that_failed_is_not_asked_for_every_alert(
    look: Look, alarms: ProviderServer
) -> None:
    alarms.slack.faults = always(Fault.unavailable())

    look(finding(), finding("The gate is open.", "gate"))

    assert len(alarms.slack.calls) == 1


def test_what_nobody_was_told_of_has_no_end_to_be_told(look: Look, alarms: ProviderServer) -> None:
    alarms.slack.faults = always(Fault.unavailable())
    look(finding())
    alarms.slack.faults = no_fault

    look(at=NOON + QUARTER)

    assert alarms.slack.texts == []


def test_a_look_that_is_killed_while_it_tells_keeps_others_out_for_a_while_only(
    look: Look, alarms: ProviderServer
) -> None:
    look()
    Alert.objects.create(
        cause="pool",
        sentence="Cold.",
        opened_at=NOON,
        last_seen_at=NOON,
        telling_until=now_plus(60),
    )

    tell_sinks(NOON)
    told_meanwhile = list(alarms.slack.texts)
    Alert.objects.update(telling_until=now_plus(-1))
    tell_sinks(NOON)

    assert (told_meanwhile, len(alarms.slack.texts)) == ([], 1)


def now_plus(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_sink_is_told(
    look: Look, alarms: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[Any] = []
    tell = alerts._tell

    def telling(*args: Any) -> bool:
        inside.append(transaction.get_connection().in_atomic_block)
        return tell(*args)

    monkeypatch.setattr(alerts, "_tell", telling)

    look(finding())

    assert inside == [False, False, False]
