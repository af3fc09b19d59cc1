"""One cause, one open alert: opened once, counted up, told once a day, closed by itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from egac.logs import REDACTED
from jobs import alerts
from jobs.alerts import attention, tell_sinks, watch, watch_everything
from jobs.models import Alert
from jobs.sinks import SINKS, Notice, Sink
from jobs.watchers import WATCHERS, Finding
from tests.egac.threads import side_by_side
from tests.providers.faults import Fault, always, no_fault
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)

Look = Callable[..., None]


def finding(sentence: str = "The pool is cold.", cause: str = "pool") -> Finding:
    return Finding(cause, sentence, "Heat it.", "/admin/")


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, provider: ProviderServer) -> Look:
    """Look around at an instant, and find just this."""
    for name in tuple(WATCHERS):
        monkeypatch.delitem(WATCHERS, name)
    found: list[Finding] = []
    monkeypatch.setitem(WATCHERS, "test", lambda now: iter(found))

    def look(*findings: Finding, at: datetime = NOON) -> None:
        found[:] = findings
        provider.github.now = at
        watch_everything(at)

    return look


def open_alerts() -> list[str]:
    return sorted(Alert.objects.open().values_list("cause", flat=True))


def test_22_a_cause_is_opened_once_and_counted_up(look: Look) -> None:
    for quarter in range(4):
        look(finding(), at=NOON + quarter * QUARTER)

    alert = Alert.objects.get()
    assert (alert.count, alert.opened_at) == (4, NOON)
    assert alert.last_seen_at == NOON + 3 * QUARTER


def test_22_an_alert_closes_by_itself_when_its_cause_is_gone(look: Look) -> None:
    look(finding())

    look(at=NOON + QUARTER)

    assert Alert.objects.get().closed_at == NOON + QUARTER


def test_22_a_cause_that_comes_back_opens_another_alert(look: Look) -> None:
    look(finding())
    look(at=NOON + QUARTER)

    look(finding(), at=NOON + 2 * QUARTER)

    assert (Alert.objects.count(), open_alerts()) == (2, ["pool"])


def test_22_the_database_refuses_two_open_alerts_of_a_cause(look: Look) -> None:
    look(finding())

    with pytest.raises(IntegrityError, match="one_open_alert_of_a_cause"), transaction.atomic():
        Alert.objects.create(cause="pool", opened_at=NOON, last_seen_at=NOON)


@pytest.mark.django_db(transaction=True)
def test_22_of_many_looks_at_once_one_opens_the_alert_and_tells_of_it(
    look: Look, alarms: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WATCHERS, "test", lambda now: [finding()])

    side_by_side(6, lambda number: watch_everything(NOON))

    assert Alert.objects.get().count == 6
    assert len(alarms.github.issues) == len(alarms.slack.texts) == 1


def test_each_cause_has_an_alert_of_its_own(look: Look) -> None:
    look(finding(), finding("The gate is open.", "gate"))

    assert open_alerts() == ["gate", "pool"]


def test_the_first_watcher_says_what_a_cause_is(look: Look) -> None:
    look(finding(), finding("It is not warm."))

    assert Alert.objects.get().sentence == "The pool is cold."


def test_what_another_look_has_found_meanwhile_stays_open(look: Look) -> None:
    look(finding(), at=NOON + QUARTER)

    look(at=NOON)  # it began earlier and ends later

    assert open_alerts() == ["pool"]


def test_keeps_no_secret(look: Look, settings: Settings) -> None:
    settings.RESEND_API_KEY = "re_very_secret"

    look(finding("re_very_secret was refused."))

    assert Alert.objects.get().sentence == f"{REDACTED} was refused."


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
    look(finding(), at=NOON + 61 * timedelta(minutes=1))

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


def test_a_watcher_that_breaks_harms_nobody(
    look: Look, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(now: datetime) -> Iterator[Finding]:
        raise KeyError("counts")

    look(finding())
    monkeypatch.setitem(WATCHERS, "broken", break_down)

    watch(NOON + QUARTER)

    assert "the watch broke" in caplog.text
    assert open_alerts() == ["pool"]


def test_names_the_open_alerts_for_the_dashboard(look: Look) -> None:
    look(finding("The gate is open.", "gate"))
    look(finding(), at=NOON + QUARTER)

    assert attention() == [("The pool is cold. Heat it.", "/admin/")]


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
