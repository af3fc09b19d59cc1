"""An invoice in a real Chromium: on a phone and a desk, by day and by night, on paper."""

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from billing.links import invoice_link
from billing.models import Invoice, InvoiceLine
from tests.billing.factories import InvoiceFactory
from tests.end_to_end.browser import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def invoice() -> Invoice:
    made = InvoiceFactory.create(billed_to="Zoë Hart-Papadopoulos\n12 High Street")
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=made,
            position=place,
            description=f"Junior running, class {place} with a description of some length",
            unit_price=made.net,
            tax_percent=0,
            net=made.net,
            tax=0,
        )
        for place in range(1, 4)
    )
    return made


def open_invoice(browser: Browser, server: LiveServer, invoice: Invoice, **options: object) -> Page:
    """Open its page by its link and return it, with what Chromium complained about."""
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.troubles = []  # type: ignore[attr-defined]
    page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))  # type: ignore[attr-defined]
    parts = urlsplit(invoice_link(invoice.number))
    page.goto(f"{server.url}{parts.path}?{parts.query}")
    return page


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(
    browser: Browser,
    live_server: LiveServer,
    invoice: Invoice,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    page = open_invoice(browser, live_server, invoice, viewport=viewport, color_scheme=scheme)

    found = Axe().run(page)
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert found.violations_count == 0, found.generate_report()
    assert overflow <= 0
    assert page.troubles == []  # type: ignore[attr-defined]


def test_paper_has_no_buttons(browser: Browser, live_server: LiveServer, invoice: Invoice) -> None:
    page = open_invoice(browser, live_server, invoice, color_scheme="dark")

    page.emulate_media(media="print")

    assert not page.get_by_role("link", name="Save as PDF").is_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"


def test_the_button_saves_the_pdf(
    browser: Browser, live_server: LiveServer, invoice: Invoice
) -> None:
    page = open_invoice(browser, live_server, invoice)

    with page.expect_download() as download:
        page.get_by_role("link", name="Save as PDF").click()

    assert download.value.suggested_filename == f"{invoice.number}.pdf"
