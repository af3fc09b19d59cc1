"""What a page looks like: nothing cut off, cells with their names, and buttons told apart."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from bookings.models import Booking
from invites.models import Invite
from jobs.models import JobRun
from tests.bookings.factories import BookingFactory, EnrolmentFactory
from tests.egac.test_figures import attempt
from tests.end_to_end.browser import PHONE, Open, visit
from tests.invites.factories import InviteFactory
from tests.one_of_each import one_of_each
from tests.staff import admin_urls

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WITH_TABLES = (
    "bookings_customer_change",
    "bookings_booking_change",
    "bookings_classsession_change",
    "bookings_classsession_register",
    "billing_invoice_change",
    "billing_monthahead_changelist",
    "jobs_jobrun_change",
    "egac_role_changelist",
)
CUT_OFF = """[...document.querySelectorAll(".ops-scroll")]
    .filter(each => each.scrollWidth > each.clientWidth)
    .map(each => each.ariaLabel)"""
NAMELESS = """[...document.querySelectorAll(".ops-scroll td:not(:first-child)")]
    .filter(each => each.checkVisibility() && !each.dataset.heading)
    .map(each => each.outerHTML)"""
MOST_LETTERS_A_LINE = 12
SQUEEZED = f"""[...document.querySelectorAll(".ops-scroll tbody th, .ops-scroll tbody td")]
    .filter(each => each.checkVisibility() && each.innerText.length > {MOST_LETTERS_A_LINE}
        && each.clientWidth < 100)
    .map(each => each.outerHTML)"""
WHITE = "rgb(255, 255, 255)"
COLOURS = """each => [getComputedStyle(each).backgroundColor, getComputedStyle(each).boxShadow,
    getComputedStyle(each).color]"""


@pytest.fixture
def urls() -> dict[str, str]:
    """The addresses of pages about rows that have rows of others."""
    objects = one_of_each()
    JobRun.objects.filter(pk=objects["jobs_jobrun"].pk).update(
        result={"results": [{"invite_id": "x" * 36, "ok": False, "error": "No such mailbox."}]}
    )
    BookingFactory.create(customer=objects["bookings_customer"])
    EnrolmentFactory.create(session=objects["bookings_classsession"])
    return {name: url.removeprefix("/admin/") for name, url in admin_urls(objects).items()}


@pytest.mark.parametrize("name", WITH_TABLES)
def test_a_phone_shows_each_row_of_a_table_whole(
    open_page: Open, urls: dict[str, str], name: str
) -> None:
    page = open_page(urls[name], viewport=PHONE)

    assert page.locator(".ops-scroll tbody td").count()
    assert page.evaluate(CUT_OFF) == page.evaluate(NAMELESS) == page.evaluate(SQUEEZED) == []


@pytest.mark.parametrize(
    ("query", "label"),
    [("", "Filter this list"), ("?status__exact=failed", "Change the filter that is set")],
)
def test_on_a_phone_a_link_leads_past_the_rows_to_the_filters(
    open_page: Open, query: str, label: str
) -> None:
    for _ in range(20):
        InviteFactory.create(status=Invite.Status.FAILED, reason="permanent")
    page = open_page(f"invites/invite/{query}", viewport=PHONE)
    expect(page.get_by_role("heading", name="Filter", exact=True)).not_to_be_in_viewport()

    page.get_by_role("link", name=label).click()

    expect(page.get_by_role("heading", name="Filter", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("width", [1200, 1280])
def test_a_wide_screen_shows_the_whole_menu_and_the_search_in_one_line(
    open_page: Open, width: int
) -> None:
    page = open_page("egac/loggedaction/", viewport={"width": width, "height": 800})

    menu = page.locator(".ops-navigation ul")

    assert menu.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    typed = page.get_by_label("Find a person").bounding_box()
    pressed = page.get_by_role("button", name="Find", exact=True).bounding_box()
    assert typed is not None
    assert pressed is not None
    assert abs(typed["y"] - pressed["y"]) < typed["height"] / 2


def drawn(page: Page, label: str) -> Any:
    """Return the colours in which a button is drawn."""
    return page.get_by_role("button", name=label, exact=True).last.evaluate(COLOURS)


def test_what_cannot_be_undone_looks_apart(open_page: Open) -> None:
    page = open_page("")
    failed = InviteFactory.create(status=Invite.Status.FAILED, reason="permanent")
    visit(page, f"invites/invite/{failed.pk}/change/")
    calm = [drawn(page, "Retry now"), drawn(page, "Send one for real")]
    drastic = drawn(page, "Cancel")

    booking = BookingFactory.create(status=Booking.Status.CONFIRMED)
    visit(page, f"bookings/booking/{booking.pk}/change/")

    assert drastic not in calm
    assert drawn(page, "Cancel") == drastic
    page.get_by_role("button", name="Cancel", exact=True).click()
    assert drawn(page, "Cancel")[0] == "rgb(155, 28, 28)"


def test_showing_what_a_job_would_do_does_not_look_like_running_it(open_page: Open) -> None:
    page = open_page("jobs/scheduledjob/retry_invites/run/")

    filled, shown = drawn(page, "Run now")[0], drawn(page, "Show what it would do")[0]
    assert shown == WHITE != filled


def test_the_button_after_a_dry_run_looks_like_one(open_page: Open) -> None:
    page = open_page("jobs/scheduledjob/retry_invites/run/")

    page.get_by_role("button", name="Show what it would do").click()
    link = page.get_by_role("link", name="Now run it")

    assert link.evaluate("each => getComputedStyle(each).textDecorationLine") == "none"
    assert link.evaluate("each => each.clientHeight >= 32")


def test_two_buttons_beside_each_other_are_as_high_on_a_phone(open_page: Open) -> None:
    page = open_page("jobs/scheduledjob/generate_monthly_invoices/run/", viewport=PHONE)

    heights = page.locator(".submit-row .button").evaluate_all(
        "each => each.map(one => one.getBoundingClientRect().height)"
    )

    assert len(heights) == 2
    assert len(set(heights)) == 1


def test_the_hours_under_a_drawing_do_not_touch_on_a_phone(open_page: Open) -> None:
    attempt(timezone.now()).save()
    page = open_page("", viewport=PHONE)

    boxes = (
        page.locator("#panel-attempts figure")
        .first.locator(".ops-tick")
        .evaluate_all(
            "each => each.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
    )

    assert len(boxes) > 1
    assert all(left[1] < right[0] for left, right in zip(boxes, boxes[1:], strict=False))
