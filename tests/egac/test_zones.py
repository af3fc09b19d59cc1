"""Every time of day that a page of the admin says names its zone."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.crawl import A_PERSONS_OWN, crawl
from tests.one_of_each import one_of_each
from tests.staff import admin_url, every_admin_pattern, login_superuser

pytestmark = pytest.mark.django_db

TIME = re.compile(
    r"(?<![\d:.T-])\d{1,2}:\d\d(?::\d\d)?(?![\d:])|\d [ap]\.m\.|\d{4}, (?:noon|midnight)\b"
)
NAMED = re.compile(r"\d{1,2}:\d\d(?::\d\d)? (?:GMT|BST|UTC|UK time)\b")
READ_ALOUD = ("title", "aria-label", "alt", "placeholder")
NOT_OURS = ("script", "style", "pre", "iframe")  # what a message says is its sender's


class Said(HTMLParser):
    """Collects what a page says, to the eye or aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.not_ours = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts += [value for name, value in attrs if value and name in READ_ALOUD]
        if tag in NOT_OURS:
            self.not_ours = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.not_ours:
            self.not_ours = ""

    def handle_data(self, data: str) -> None:
        if not self.not_ours:
            self.parts.append(data)


def without_a_zone(page: str) -> list[str]:
    """Return the times of a page that name no zone, each with what stands around it."""
    said = Said()
    said.feed(page)
    texts = (" ".join(part.split()) for part in said.parts)
    return [
        text[max(0, found.start() - 30) : found.end() + 12]
        for text in texts
        for found in TIME.finditer(text)
        if not NAMED.match(text, found.start())
    ]


@pytest.mark.parametrize(
    ("page", "is_bare"),
    [
        ("<p>at 18:30 GMT</p>", False),
        ("<p>at 18:30</p>", True),
        ('<time title="18:30">an hour ago</time>', True),
        ("<p>10:27 p.m.</p>", True),
        ("<pre>18:30</pre>", False),
    ],
)
def test_a_bare_time_is_seen(page: str, is_bare: bool) -> None:
    assert bool(without_a_zone(page)) is is_bare


def test_every_time_on_every_page_names_its_zone() -> None:
    root = login_superuser()
    get_user_model().objects.update(last_login=timezone.now())
    objects = {
        **one_of_each(),
        "app_list": SimpleNamespace(pk="billing"),
        "auth_user": get_user_model().objects.get(),
        "auth_group": Group.objects.get(name="Viewers"),
    }
    starts = [
        admin_url(name, arguments, objects)
        for name, arguments in every_admin_pattern()
        if name not in (*A_PERSONS_OWN, "view_on_site")
    ]

    visits = crawl(root, starts=starts, examples=1)

    pages = {path: visit.text for path, visit in visits.items() if visit.is_ours}
    assert len(pages) > 50
    assert {path: bare for path, text in pages.items() if (bare := without_a_zone(text))} == {}
