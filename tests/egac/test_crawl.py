"""Every page of the admin, by every address that the resolver knows and every link on the pages."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from tests.crawl import A_PERSONS_OWN, crawl
from tests.one_of_each import one_of_each
from tests.staff import admin_url, every_admin_pattern, login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db

NO_PAGES = {*A_PERSONS_OWN, "view_on_site"}  # no row of ours has a page elsewhere
AT_THE_DOOR = {"login"}
OF_ALL_STAFF = {"index", "login", "password_change", "password_change_done", "jsi18n"}
REFUSED = {403, 404, 405}  # forbidden, not there for them, or no page for that method
SEEN = {"seen": "1@2026-03-03T10:00:00+00:00", "reason": "Because.", "post": "yes"}
REVEALS = {"egac_person_reveal"}  # for which a Viewer is let in


@pytest.fixture
def pages() -> dict[str, str]:
    """An address of every page, by its name."""
    of_django = {
        "app_list": SimpleNamespace(pk="billing"),
        "auth_user": get_user_model().objects.create_user("kim", is_staff=True),
        "auth_group": Group.objects.get(name="Viewers"),
    }
    objects = {**one_of_each(), **of_django}
    return {
        name: admin_url(name, arguments, objects)
        for name, arguments in every_admin_pattern()
        if name not in NO_PAGES
    }


def test_19_no_get_and_no_head_of_any_link_changes_a_table(pages: dict[str, str]) -> None:
    root = Client()
    root.force_login(get_user_model().objects.create_superuser("root"))
    before = everything_stored()

    visits = crawl(root, starts=pages.values(), examples=1)
    for path in pages.values():
        root.head(path)

    assert everything_stored() == before
    assert set(pages) <= {visit.name for visit in visits.values()}
    linked = {path: visit for path, visit in visits.items() if visit.linked_from}
    dead = [(path, visit.linked_from) for path, visit in linked.items() if visit.status != 200]
    assert dead == []
    assert len(linked) > 50


def test_19_every_page_refuses_a_stranger_and_staff_of_no_group(pages: dict[str, str]) -> None:
    nobody, no_group = Client(), login()
    before = everything_stored()

    for name, path in pages.items():
        for answer in (nobody.get(path), nobody.post(path)):
            to = answer.get("Location", "")
            assert to.startswith("/admin/login/") or name in AT_THE_DOOR, path
        for answer in (no_group.get(path), no_group.post(path)):
            assert answer.status_code in REFUSED or name in OF_ALL_STAFF, path

    assert everything_stored() == before


def test_19_no_post_of_a_viewer_changes_a_table(pages: dict[str, str]) -> None:
    viewer = login("Viewers")
    before = everything_stored()

    for name, path in pages.items():
        if name not in REVEALS:
            viewer.post(path)
            viewer.post(path, SEEN)

    assert everything_stored() == before
