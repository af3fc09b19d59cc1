"""On paper: what a page says is whole, without what is there to be pressed or pointed at."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from tests.egac.test_figures import attempt
from tests.end_to_end.browser import Open, visit
from tests.one_of_each import one_of_each

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

A4 = {"width": 718, "height": 1046}  # less its margins, at 96 dots an inch
EXACT = re.compile(r'^" \(\d{1,2} \w+ \d{4} at \d\d:\d\d (GMT|BST)\)"$')
TO_PRESS = "button, input:not([type=hidden]), select, .object-tools, #changelist-filter, nav a"
BEHIND_TIMES = """times => times.map(time => getComputedStyle(time, "::after").content)"""
VISIBLE = "all => all.filter(each => each.checkVisibility()).map(each => each.outerHTML)"
CUT = """all => all.filter(each => each.checkVisibility() && each.clientHeight > 1
    && (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight)
    && getComputedStyle(each).overflow != "visible").map(each => each.outerHTML.slice(0, 90))"""
COLOURS = """body => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor]"""


def faults_on_paper(page: Page, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what a printed page still shows, or hides, with where."""
    exact = page.locator("#content time[title]").evaluate_all(BEHIND_TIMES)
    yield from ((path, told) for told in exact if not EXACT.match(told))
    yield from ((path, each) for each in page.locator(TO_PRESS).evaluate_all(VISIBLE))
    yield from ((path, each) for each in page.locator("#content *").evaluate_all(CUT))
    if (colours := page.locator("body").evaluate(COLOURS)) != [
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
    ]:
        yield path, colours
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield path, "is wider than the paper"


def test_a_list_a_record_and_the_dashboard_are_whole_on_paper(open_page: Open) -> None:
    objects = one_of_each()
    attempt(timezone.now()).save()
    page = open_page("", viewport=A4, color_scheme="dark")
    page.emulate_media(media="print")
    record = f"invites/invite/{objects['invites_invite'].pk}/change/"

    faults: list[Any] = []
    for path in ("invites/invite/", "jobs/jobrun/", record, ""):
        visit(page, path)
        faults += faults_on_paper(page, path)

    assert faults == []
    assert page.locator("#hours-email-table table").is_visible()
    visit(page, "invites/invite/")
    assert page.locator("#content time[title]").count() > 0
