"""The pages that only a press opens: what asks first, what a form refuses, what is revealed.

Pictures are taken of them, and tests/end_to_end/test_pages_in_browser.py holds them to the rules of
every other page.
"""

import json
from dataclasses import dataclass

from playwright.sync_api import FilePayload, Page

from egac.console.confirming import MOST_SHOWN
from invites.models import Invite
from scripts.pictures.scenes import FAILED, Steps, choose_all, open_first, press, stay
from tests.notifications.factories import email, queue

CSV = b"""name,email,phone
Amelia Longfellow-Winterbottom,amelia@families.example,07700 900123
Somebody,nobody,
"""


OLD = json.dumps({"to": ["a@b.example"], "subject": "Old", "html": "Old", "text": "Old"})


def let_many_fail() -> None:
    """Let more fail than are retried without their number, and invites that were changed since."""
    for number in range(MOST_SHOWN + 1):
        to = f"a.parent.with.a.long.name.{number}@a-school-with-a-long-name.example"
        queue(email(to=to), status="failed", reason="permanent")
    Invite.objects.filter(status=Invite.Status.FAILED).update(rendered=OLD)


@dataclass(frozen=True)
class Pressed:
    """One page. `path` stands below /admin/; `shows` is what the steps lead to, as a selector.

    `group` is of who is signed in, "" where nobody is.
    """

    name: str
    path: str
    steps: Steps = stay
    shows: str = "#content"
    group: str = "Managers"


def then(*steps: Steps) -> Steps:
    """Return one step after the other as one."""

    def take(page: Page) -> None:
        for step in steps:
            step(page)

    return take


def submit(label: str, **typed: str) -> Steps:
    """Return the step that types into fields by their ids and presses a button of the page.

    The browser lets everything through, so that the server answers what it refuses.
    """

    def submit_it(page: Page) -> None:
        for name, value in typed.items():
            page.locator(f"#id_{name}").fill(value)
        button = page.get_by_role("button", name=label).last
        button.evaluate("button => { button.form.noValidate = true; }")
        button.click()

    return submit_it


def choose_a_file(content: bytes) -> Steps:
    """Return the step that looks at a CSV file before it is imported."""
    file: FilePayload = {"name": "enquiries.csv", "mimeType": "text/csv", "buffer": content}

    def choose(page: Page) -> None:
        page.locator("input[type=file]").set_input_files([file])
        page.get_by_role("button", name="Look at it first").click()

    return choose


def write_an_invoice(page: Page) -> None:
    """Begin an invoice for the first booking of a list."""
    open_first(page)
    site, _, rest = page.url.partition("/bookings/booking/")
    page.goto(f"{site}/billing/invoice/add/?booking={rest.partition('/')[0]}")


def reveal(page: Page) -> None:
    """Say why, and see what is masked."""
    page.locator("#reveal-why").fill("She is on the phone and asks where it went.")
    page.get_by_role("button", name="Show this page once").click()


A_LINE = {
    "due_on": "2099-12-31",
    "form-0-description": "Club vest",
    "form-0-unit_price": "18.50",
}
PAY = press("Record payment")
RESCHEDULE = press("Reschedule")
CANCEL_CLASS = press("Cancel and tell everyone booked")
INVOICES, QUEUE = "billing/invoice/?state=pending", "notifications/notification/"
CLASSES, IMPORT = "bookings/classsession/?when=ahead", "invites/enquiry/import/"
ERROR = "#content .ops-warning"

PRESSED = (
    Pressed("ask-payment", INVOICES, PAY, "#id_amount"),
    Pressed("payment-refused", INVOICES, then(PAY, submit("Record", amount="0")), ERROR),
    Pressed("ask-new-time", f"{QUEUE}?status__exact=pending", RESCHEDULE, "#id_at"),
    Pressed(
        "new-time-refused",
        f"{QUEUE}?status__exact=pending",
        then(RESCHEDULE, submit("Reschedule", at="2020-01-01T12:00")),
        ERROR,
    ),
    Pressed("ask-reason", CLASSES, CANCEL_CLASS, "#id_reason"),
    Pressed("no-reason", CLASSES, then(CANCEL_CLASS, submit("Cancel and tell")), ERROR),
    Pressed("ask-number", f"{QUEUE}?{FAILED}", choose_all("Retry now"), "#id_number"),
    Pressed(
        "wrong-number",
        f"{QUEUE}?{FAILED}",
        then(choose_all("Retry now"), submit("Retry now", number="2")),
        "#number-error",
    ),
    Pressed("differences", f"invites/invite/?{FAILED}", choose_all("Retry now"), ".ops-changes"),
    Pressed("ask-retry-of-a-cause", "egac/failure/", submit("Retry all"), "#id_reason"),
    Pressed("import-preview", IMPORT, choose_a_file(CSV), "button[name=confirm]"),
    Pressed("import-refused", IMPORT, choose_a_file(b"a,b\n1,2\n"), ERROR),
    Pressed(
        "invoice-to-issue",
        "bookings/booking/",
        then(write_an_invoice, submit("Look at it", **A_LINE)),
        "button[name=confirmed]",
    ),
    Pressed("invoice-refused", "billing/invoice/add/", submit("Look at it"), ERROR),
    Pressed("address-refused", "egac/suppression/add/", submit("Save", address="x"), ".errornote"),
    Pressed(
        "revealed",
        "invites/invite/",
        then(open_first, reveal),
        "text=Shown to you this once",
        "Viewers",
    ),
    Pressed("not-allowed", "auth/user/", group="Viewers"),
    Pressed("not-there", "nothing/"),
    Pressed("not-possible", "?x=%00"),
    Pressed("login", "login/", shows="#id_username", group=""),
    Pressed("login-refused", "login/", submit("Log in", username="x"), ".errornote", group=""),
)
