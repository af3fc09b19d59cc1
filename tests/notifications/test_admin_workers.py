"""The pages of workers and of sample messages, and lists that are empty."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils.html import escape

from notifications.catalogue import TYPES
from notifications.models import Notification, Worker
from tests.notifications.staff_pages import LIST, page_of

pytestmark = pytest.mark.django_db

Status = Notification.Status
WORKERS = "/admin/notifications/worker/"
SAMPLES = "/admin/notifications/sample/"


def test_the_list_of_workers_says_who_is_alive_and_how_fast(viewer: Client, worker: Worker) -> None:
    silent = Now() - timedelta(minutes=2)
    began = Now() - timedelta(minutes=42)
    Worker.objects.create(
        name="gone:2:b", kind="loop", started_at=began, seen_at=silent, recorded=1234
    )
    Worker.objects.create(name="done:3:c", kind="pass", stopped_at=Now())

    page = page_of(viewer.get(WORKERS))

    for words in (
        "alive",
        "silent: it was killed",
        "stopped in good order",
        "one pass",
        "1234",
        "30.9",
    ):
        assert words in page


def test_an_empty_list_says_what_would_be_here(viewer: Client) -> None:
    for url in (LIST, WORKERS):
        assert "here as soon as one" in page_of(viewer.get(url))


def test_the_index_links_to_a_page_of_every_type(viewer: Client) -> None:
    index = page_of(viewer.get("/admin/"))
    page = page_of(viewer.get(SAMPLES))

    assert f'href="{SAMPLES}"' in index
    for type, about in TYPES.items():
        assert escape(about.title) in page
        assert f'src="{type}/"' in page
        assert "sandbox" in viewer.get(f"{SAMPLES}{type}/")["Content-Security-Policy"]


def test_there_is_no_sample_of_an_unknown_type(viewer: Client) -> None:
    assert viewer.get(f"{SAMPLES}nonsense/").status_code == 404
