"""One cause, one open alert: opened once, counted up, closed by itself."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from egac.logs import REDACTED
from jobs.alerts import watch, watch_everything
from jobs.models import Alert
from jobs.watchers import WATCHERS, Finding
from tests.egac.threads import side_by_side
from tests.jobs.looks import NOON, QUARTER, Look, finding
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db


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
