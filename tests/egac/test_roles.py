"""The page of roles says in words what each may do, whatever the groups are given."""

import html

import pytest
from django.contrib.auth.models import Group, Permission

from egac.groups import GROUPS, OUR_APPS
from egac.roles import areas, words_of
from tests.staff import login

pytestmark = pytest.mark.django_db

PAGE = "/admin/egac/role/"


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_every_permission_of_a_role_stands_there_in_words_and_no_other(number: int) -> None:
    name = list(GROUPS)[number]
    held = set(Group.objects.get(name=name).permissions.all())

    said = {allowed.words for area in areas() for allowed in area.allowed if allowed.by[number]}

    looks = " ".join(words for words in said if words.startswith("Look at "))
    for permission in Permission.objects.filter(content_type__app_label__in=OUR_APPS):
        is_said = words_of(permission) in said or (
            permission.codename.startswith("view_") and words_of(permission) in looks
        )
        assert is_said == (permission in held), permission


def test_the_page_shows_each_role_and_who_has_it() -> None:
    viewer = login("Viewers")

    page = html.unescape(viewer.get(PAGE).content.decode())

    assert "You are one of the Viewers." in page
    assert "Nobody has it yet." in page
    for name in GROUPS:
        assert f'">{name}</h2>' in page
    for area in areas():
        assert all(allowed.words in page for allowed in area.allowed)


@pytest.mark.parametrize(
    ("codename", "words"),
    [
        ("add_enquiry", "Add enquiries"),
        ("retry_invite", "Retry invites"),
        ("pause_channel", "Pause and resume channels"),
        ("view_notification", "queued messages"),
    ],
)
def test_a_permission_is_said_in_plain_words(codename: str, words: str) -> None:
    assert words_of(Permission.objects.get(codename=codename)) == words
