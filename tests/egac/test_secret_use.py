"""When a secret was last used, and what the admin says of it during a rotation."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from egac.models import SecretUse
from egac.secret_use import note_use
from tests.staff import login

pytestmark = pytest.mark.django_db

NEW, OLD = "CRON_SECRET", "CRON_SECRET_PREVIOUS"


def used(name: str, *, ago: timedelta) -> SecretUse:
    note_use(name)
    SecretUse.objects.filter(pk=name).update(last_used_at=F("last_used_at") - ago)
    return SecretUse.objects.get(pk=name)


def test_notes_the_first_use() -> None:
    note_use(NEW)

    assert SecretUse.objects.get().name == NEW


def test_notes_a_later_use() -> None:
    before = used(NEW, ago=timedelta(seconds=61)).last_used_at

    note_use(NEW)

    assert SecretUse.objects.get().last_used_at > before


def test_notes_no_second_use_within_a_minute() -> None:
    before = used(NEW, ago=timedelta(seconds=50)).last_used_at

    note_use(NEW)

    assert SecretUse.objects.get().last_used_at == before


@pytest.mark.parametrize(
    ("name", "days", "told"),
    [
        (NEW, 0, "in use"),
        (OLD, 1, "old one, still in use"),
        (OLD, 3, "Nobody has used it for two days: remove it."),
        ("JOB_TOKENS: run_worker_queue", 0, "in use"),
        ("JOB_TOKENS: run_worker_queue (second)", 0, "do not remove it yet"),
        ("issued token: run_worker_queue", 0, "ends by itself"),
        ("SERVICE_ROLE_KEY", 0, "opens nothing any more"),
    ],
)
def test_the_admin_says_how_far_a_rotation_is(
    settings: Settings, name: str, days: int, told: str
) -> None:
    settings.CRON_SECRET_PREVIOUS = "the-secret-before-it"
    settings.JOB_TOKENS = {"run_worker_queue": ("a-token-of-16-characters", "the-token-before-it")}
    used(name, ago=timedelta(days=days))

    page = login("Viewers").get("/admin/egac/secretuse/").content.decode()

    assert told in page
    assert "the-secret-before-it" not in page
    assert "the-token-before-it" not in page
