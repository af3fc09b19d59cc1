"""Where there is no page, staff are told what happened, who may, and how to go on."""

import html
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils.html import strip_tags

from egac.console import site
from tests.staff import login

pytestmark = pytest.mark.django_db

NUL = "/admin/invites/invite/?status__exact=%00"


def told(answer: Any) -> str:
    """Return what the answer says to a person, its main part."""
    _, _, main = answer.content.decode().partition('id="content"')
    return " ".join(html.unescape(strip_tags(main.replace("<", " <"))).split())


@pytest.mark.parametrize(
    ("path", "status", "title", "what_happened", "what_helps"),
    [
        ("auth/user/", 403, "You may not do this", "Your account may not", "Ask a manager"),
        ("jobs/scheduledjob/x/", 404, "There is no such page", "There is no job x.", "open the"),
        ("nothing/", 404, "There is no such page", "Nothing is at this address", "open the list"),
        ("?x=%00", 400, "This cannot be asked for", "No row is called so.", "choose once more"),
    ],
)
def test_staff_are_told_what_happened_and_what_helps(
    path: str, status: int, title: str, what_happened: str, what_helps: str
) -> None:
    answer: Any = login("Viewers").get(f"/admin/{path}")

    page = told(answer)
    assert answer.status_code == status
    assert title in page
    assert what_happened in page
    assert what_helps in page
    assert "Go to the overview What each role may do" in page
    assert 'aria-label="Main"' in answer.content.decode()


def test_who_is_in_no_group_is_offered_what_opens() -> None:
    answer: Any = login().get("/admin/invites/invite/")

    assert answer.status_code == 403
    assert told(answer).count("Go to the overview") == 1
    assert "What each role may do" not in told(answer)


def test_a_stranger_is_told_too() -> None:
    answer: Any = Client().get(NUL)

    assert answer.status_code == 400
    assert "No row is called so. Open the page anew" in told(answer)


def test_a_page_that_broke_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = login("Viewers")
    staff.raise_request_exception = False
    monkeypatch.delattr(site, "dashboard_context")

    answer: Any = staff.get("/admin/")

    assert answer.status_code == 500
    assert "look at the row before you press again" in told(answer)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert finders.find("egac/broken.css")


def test_a_strange_host_is_refused_shortly() -> None:
    answer: Any = Client().get("/admin/", headers={"host": "elsewhere.example"})

    assert answer.status_code == 400
    assert b"<h1>Bad Request (400)</h1>" in answer.content


@pytest.mark.parametrize("path", ["/nothing", "/webhooks/nothing", "/api/admin/nothing.json"])
def test_machines_get_the_short_answer_as_before(path: str) -> None:
    answer: Any = Client().get(path)

    assert answer.status_code == 404
    assert b"<h1>Not Found</h1>" in answer.content
    assert b"stylesheet" not in answer.content
