"""How a machine proves itself: the secret in each of its places, and nothing else."""

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from egac.auth import cron_secret_of, matches
from egac.providers import NotConfigured

SECRET = "a-secret-of-the-tests"
OLD = "the-secret-before-it"
Headers = dict[str, str]


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    settings.CRON_SECRET, settings.CRON_SECRET_PREVIOUS = SECRET, OLD


@pytest.mark.parametrize("secret", [SECRET, OLD])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"X-Cron-Secret": "{}"}),
        ("/", {"Authorization": "Bearer {}"}),
        ("/", {"Authorization": "bearer  {} "}),
        ("/?secret={}", {}),
        ("/?secret=wrong&secret={}", {}),
        ("/?secret=wrong", {"X-Cron-Secret": "{}"}),
    ],
)
def test_lets_in_who_carries_the_secret(path: str, headers: Headers, secret: str) -> None:
    filled = {name: value.format(secret) for name, value in headers.items()}

    assert cron_secret_of(RequestFactory().get(path.format(secret), headers=filled))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?secret=", {"X-Cron-Secret": "", "Authorization": "Bearer "}),
        ("/?secret=wrong", {}),
        (f"/?secret={SECRET[:-1]}", {}),
        (f"/?secret={SECRET}x", {}),
        (f"/?secret={SECRET.upper()}", {}),
        (f"/?Secret={SECRET}", {}),
        ("/", {"Authorization": SECRET}),
        ("/", {"Authorization": f"Basic {SECRET}"}),
        ("/", {"Cookie": f"secret={SECRET}"}),
        ("/?secret=%ff%00", {"X-Cron-Secret": "ÿ"}),
    ],
)
def test_refuses_everybody_else(path: str, headers: Headers) -> None:
    assert not cron_secret_of(RequestFactory().get(path, headers=headers))


def test_a_secret_in_a_form_is_none() -> None:
    assert not cron_secret_of(RequestFactory().post("/", {"secret": SECRET}))


def test_the_query_can_be_closed(settings: Settings) -> None:
    settings.ALLOW_QUERY_SECRET = False

    assert not cron_secret_of(RequestFactory().get(f"/?secret={SECRET}"))
    assert cron_secret_of(RequestFactory().get("/", headers={"X-Cron-Secret": SECRET}))


@pytest.mark.parametrize("carried", ["", OLD, "x"])
def test_an_unset_secret_closes_the_door(settings: Settings, carried: str) -> None:
    settings.CRON_SECRET = ""

    with pytest.raises(NotConfigured, match="CRON_SECRET is not set"):
        cron_secret_of(RequestFactory().get(f"/?secret={carried}"))


@pytest.mark.parametrize(
    ("carried", "secrets_", "same"),
    [
        (["a"], ["a"], True),
        (["b", "a"], ["c", "a"], True),
        (["ä"], ["ä"], True),
        (["b"], ["a"], False),
        (["a"], [], False),
        ([], ["a"], False),
        ([""], ["a"], False),
        ([""], [""], False),
    ],
)
def test_compares_every_pair(carried: list[str], secrets_: list[str], same: bool) -> None:
    assert matches(carried, secrets_) is same
