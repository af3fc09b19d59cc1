"""Zoom: the meeting as it is asked for, the token, and what each answer means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from egac.providers import Cause, NotConfigured, ProviderError, zoom
from egac.providers.zoom import (
    Tokens,
    Wanted,
    create_meeting,
    delete_meeting,
    find_meeting,
    require_configured,
)
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer
from tests.providers.zoom import zoom_error

SUMMER = datetime.fromisoformat("2026-07-07T18:30:00+01:00")


def wanted(number: int = 7) -> Wanted:
    return Wanted("Junior running", SUMMER, minutes=60, marker=f"egac-class-{number}")


@pytest.fixture(autouse=True)
def no_token_yet(provider: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoom, "TOKENS", Tokens())


def error_after(provider: ProviderServer, fault: Fault) -> ProviderError:
    provider.zoom.faults = always(fault)
    with pytest.raises(ProviderError) as caught:
        create_meeting("me", wanted())
    return caught.value


def test_asks_in_utc_and_keeps_both_links(provider: ProviderServer) -> None:
    meeting = create_meeting("sam@club.example", wanted())

    [held] = provider.zoom.meetings
    assert (held.user, held.id) == ("sam@club.example", meeting.id)
    assert held.payload["start_time"] == "2026-07-07T17:30:00Z"
    assert (held.payload["duration"], held.payload["agenda"]) == (60, "egac-class-7")
    assert (meeting.join_link, meeting.host_link) == tuple(held.links.values())
    assert meeting.id > 2**31


def test_asks_for_a_token_once(provider: ProviderServer) -> None:
    before = provider.zoom.tokens_given

    for number in range(3):
        create_meeting("me", wanted(number))

    assert provider.zoom.tokens_given == before + 1


def test_renews_a_token_that_zoom_no_longer_takes_and_asks_again(provider: ProviderServer) -> None:
    create_meeting("me", wanted(1))
    provider.zoom.forget_tokens()

    create_meeting("me", wanted(2))

    assert len(provider.zoom.meetings) == 2


def test_a_token_is_renewed_a_minute_before_it_ends(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_meeting("me", wanted(1))
    before = provider.zoom.tokens_given
    monkeypatch.setattr(zoom, "RENEW_BEFORE", 3600.0)
    monkeypatch.setattr(zoom, "TOKENS", Tokens())

    create_meeting("me", wanted(2))
    create_meeting("me", wanted(3))

    assert provider.zoom.tokens_given == before + 2


def test_a_wrong_client_is_told_in_zooms_words_and_never_with_its_secret(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.ZOOM_CLIENT_SECRET = "a-wrong-secret"

    with pytest.raises(ProviderError) as caught:
        create_meeting("me", wanted())

    assert caught.value.cause is Cause.CREDENTIALS
    assert "Invalid client_id or client_secret" in str(caught.value)
    assert "a-wrong-secret" not in str(caught.value)


def test_finds_the_meeting_of_a_marker_on_a_later_page(provider: ProviderServer) -> None:
    provider.zoom.page_size = 2
    made = [create_meeting("me", wanted(number)) for number in range(5)]

    found = find_meeting("me", "egac-class-4")

    assert found == made[4]


def test_a_marker_that_only_begins_alike_is_another_meeting(provider: ProviderServer) -> None:
    create_meeting("me", wanted(71))

    assert find_meeting("me", "egac-class-7") is None


def test_a_host_who_was_removed_has_no_meeting(provider: ProviderServer) -> None:
    create_meeting("ann@club.example", wanted())
    provider.zoom.users_gone = {"ann@club.example"}

    assert find_meeting("ann@club.example", "egac-class-7") is None


@pytest.mark.parametrize(
    ("told", "is_as"),
    [
        ({}, True),
        ({"starts_at": SUMMER.astimezone(UTC)}, True),
        ({"starts_at": SUMMER + timedelta(minutes=1)}, False),
        ({"minutes": 61}, False),
    ],
)
def test_a_meeting_is_as_wanted_while_its_time_is(
    provider: ProviderServer, told: dict[str, Any], is_as: bool
) -> None:
    create_meeting("me", wanted())

    found = find_meeting("me", "egac-class-7")

    assert found is not None
    assert found.is_as(replace(wanted(), **told)) is is_as


def test_takes_a_meeting_back_and_one_that_is_gone_is_no_error(provider: ProviderServer) -> None:
    meeting = create_meeting("me", wanted())

    delete_meeting(meeting.id)
    delete_meeting(meeting.id)

    assert provider.zoom.meetings == []


@pytest.mark.parametrize(
    ("fault", "cause", "is_permanent"),
    [
        (zoom_error(400, 300, "Validation Failed."), Cause.MESSAGE, True),
        (zoom_error(404, 1001, "User does not exist."), Cause.MESSAGE, True),
        (zoom_error(400, 4711, "Invalid access token, scopes."), Cause.CREDENTIALS, False),
        (zoom_error(401, 124, "Invalid access token."), Cause.CREDENTIALS, False),
        (
            zoom_error(429, 429, "Slower.", **{"x-ratelimit-type": "QPS"}),
            Cause.RATE_LIMIT,
            False,
        ),
        (
            zoom_error(429, 429, "Too many.", retry_after="2026-12-02T00:00:00Z"),
            Cause.RECIPIENT_LIMIT,
            False,
        ),
        (
            zoom_error(429, 429, "You have exceeded the daily rate limit (100)."),
            Cause.RECIPIENT_LIMIT,
            False,
        ),
        (Fault.rate_limited(), Cause.RATE_LIMIT, False),
        (Fault.server_error(), Cause.UNAVAILABLE, False),
        (Fault.html_502(), Cause.UNAVAILABLE, False),
        (Fault.not_json(), Cause.UNKNOWN, False),
        (Fault.wrong_json(), Cause.UNKNOWN, False),
        (Fault.half_an_answer(), Cause.UNKNOWN, False),
        (Fault.reset_after_accepting(), Cause.UNKNOWN, False),
        (Fault.hang_after_accepting(), Cause.UNKNOWN, False),
    ],
    ids=lambda value: getattr(value, "label", None),
)
def test_an_answer_means(
    provider: ProviderServer,
    settings: Settings,
    fault: Fault,
    cause: Cause,
    is_permanent: bool,
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3

    error = error_after(provider, fault)

    assert (error.cause, error.permanent) == (cause, is_permanent)


def test_no_error_repeats_a_host_link(provider: ProviderServer) -> None:
    error = error_after(provider, Fault.half_an_answer())

    assert "zak=" not in str(error)


def test_says_which_settings_are_missing(settings: Settings) -> None:
    settings.ZOOM_CLIENT_ID = settings.ZOOM_CLIENT_SECRET = ""

    with pytest.raises(NotConfigured, match="ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET"):
        require_configured()
