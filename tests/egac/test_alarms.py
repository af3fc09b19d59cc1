"""Slack, Opsgenie and the outside watcher: what they are sent, and what their refusals mean."""

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from egac.providers import Cause, ProviderError
from egac.providers.healthchecks import FAILED, STARTED, SUCCEEDED, ping
from egac.providers.opsgenie import close_alert, create_alert
from egac.providers.slack import post_text
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer


def create() -> None:
    create_alert("failed_invites", message="3 invites have failed.", description="Open them.")


def close() -> None:
    close_alert("channel_down:email", note="It is over.")


def post() -> None:
    post_text("3 invites have failed.")


def test_slack_gets_a_text_in_which_nothing_is_markup(alarms: ProviderServer) -> None:
    post_text("a < b & <!channel>")

    assert alarms.slack.texts == ["a &lt; b &amp; &lt;!channel&gt;"]


def test_an_alias_names_one_alert_in_opsgenie(alarms: ProviderServer) -> None:
    create()
    create()

    assert list(alarms.opsgenie.open) == ["failed_invites"]
    assert alarms.opsgenie.open["failed_invites"]["message"] == "3 invites have failed."


def test_a_long_sentence_fits_into_opsgenie(alarms: ProviderServer) -> None:
    create_alert("a", message="word " * 100, description="")

    assert len(alarms.opsgenie.open["a"]["message"]) == 130


def test_opsgenie_closes_what_has_an_odd_alias(alarms: ProviderServer) -> None:
    create_alert("channel_down:email", message="Down.", description="")

    close()

    assert alarms.opsgenie.open == {}


@pytest.mark.parametrize("tell", [post, create, close])
@pytest.mark.parametrize(
    ("fault", "cause", "permanent"),
    [
        (Fault.error(429, "429", "Slow down.", retry_after="7"), Cause.RATE_LIMIT, False),
        (Fault.error(403, "403", "invalid_token"), Cause.CREDENTIALS, True),
        (Fault.unavailable(), Cause.UNAVAILABLE, False),
        (Fault.reset_before_accepting(), Cause.UNKNOWN, False),
    ],
)
def test_tells_what_a_refusal_means(
    alarms: ProviderServer,
    tell: Callable[[], None],
    fault: Fault,
    cause: Cause,
    permanent: bool,
) -> None:
    alarms.slack.faults = alarms.opsgenie.faults = always(fault)

    with pytest.raises(ProviderError) as raised:
        tell()

    assert (raised.value.cause, raised.value.permanent) == (cause, permanent)
    assert raised.value.retry_after == (7 if cause is Cause.RATE_LIMIT else None)
    assert "for-tests" not in str(raised.value)


@pytest.mark.parametrize("words", ["channel_is_archived", "no_service"])
def test_a_webhook_of_slack_that_is_gone_is_for_a_person(
    alarms: ProviderServer, words: str
) -> None:
    alarms.slack.faults = always(Fault.error(410, "410", words))

    with pytest.raises(ProviderError, match=words) as raised:
        post()

    assert raised.value.permanent


def test_the_outside_watcher_hears_of_start_and_end(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.HEALTHCHECK_PING_URL = f"{provider.url}/ping/b7c0"

    for what in (STARTED, SUCCEEDED, FAILED):
        ping(what)

    assert provider.watcher.pings == ["start", "", "fail"]


def test_nobody_is_pinged_without_an_address(provider: ProviderServer) -> None:
    ping(STARTED)

    assert provider.watcher.calls == []


@pytest.mark.parametrize("fault", [Fault.unavailable(), Fault.reset_before_accepting()])
def test_a_ping_that_fails_harms_nobody_and_shows_no_address(
    provider: ProviderServer, settings: Settings, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    settings.HEALTHCHECK_PING_URL = f"{provider.url}/ping/b7c0-secret"
    provider.watcher.faults = always(fault)

    ping(SUCCEEDED)

    assert "outside watcher" in caplog.text
    assert "b7c0-secret" not in caplog.text
