"""The twelve pictures of the documents: where each begins, and the steps to what it shows."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

Steps = Callable[[Page], None]


def stay(page: Page) -> None:
    """Show the page as it opens."""


def open_first(page: Page) -> None:
    """Open the first record of a list."""
    page.locator("#result_list tbody tr").first.locator("th a, td a").first.click()


def open_person(page: Page) -> None:
    """Open everything that happened to the first of a list."""
    open_first(page)
    page.get_by_role("link", name="The whole person").click()


def press(label: str) -> Steps:
    """Return the step that opens the first record of a list and presses a button of it."""

    def press_it(page: Page) -> None:
        open_first(page)
        page.get_by_role("button", name=label, exact=True).click()

    return press_it


def choose_all(action: str) -> Steps:
    """Return the step that ticks every row of a list and chooses an action."""

    def choose(page: Page) -> None:
        for box in page.locator("input.action-select").all():  # a phone shows no box for all
            box.check()
        page.locator("select[name=action]").select_option(label=action)
        page.get_by_role("button", name="Go").click()

    return choose


@dataclass(frozen=True)
class Scene:
    """One picture. `path` stands below /admin/."""

    name: str
    path: str
    steps: Steps = stay
    is_narrow: bool = False
    is_dark: bool = False
    is_long: bool = False


FAILED = "status__exact=failed"
SCENES = (
    Scene("dashboard", "", is_long=True),
    Scene("failures", "egac/failure/"),
    Scene("an-invite-did-not-arrive", "invites/invite/?status__exact=sent", open_first),
    Scene("send-the-failed-ones-again", f"invites/invite/?{FAILED}", choose_all("Retry now")),
    Scene(
        "a-wrong-address",
        "invites/enquiry/?q=refused.1@families.example",
        open_first,
        is_narrow=True,
    ),
    Scene("whatsapp-is-down", "egac/channel/"),
    Scene("stop-all-sending-for-a-while", "egac/channel/", choose_all("Pause")),
    Scene("somebody-paid", "billing/invoice/?state=pending", press("Record payment")),
    Scene(
        "why-did-nobody-get-the-invoice",
        "notifications/notification/?status__exact=cancelled&type=invoice_issued",
        open_first,
    ),
    Scene(
        "a-customers-booking-is-locked",
        "bookings/booking/?access_status__exact=overdue_locked",
        open_first,
        is_dark=True,
    ),
    Scene(
        "cancel-tonights-class-and-tell-everyone",
        "bookings/classsession/?when=ahead&o=2",
        press("Cancel and tell everyone booked"),
    ),
    Scene("a-customer-asks-what-we-sent-her", "bookings/customer/", open_person, is_narrow=True),
)
