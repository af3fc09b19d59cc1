"""The signed link to an invoice opens that one and nothing else, and tells nobody of itself."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from billing.links import GOOD_FOR, SALT, invoice_link
from billing.models import Invoice
from billing.services import Written, issue_invoice
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.billing.pdf_text import text_of
from tests.bookings.factories import BookingFactory

pytestmark = pytest.mark.django_db

WORDS = "Open the link of the latest e-mail"


def path_to(invoice: Invoice, *, suffix: str = "", key: str | None = None) -> str:
    """Return the address of an invoice on this site, with another key where one is given."""
    parts = urlsplit(invoice_link(invoice.number))
    return f"{parts.path}{suffix}?{parts.query if key is None else f'key={key}'}"


def open_it(invoice: Invoice, **more: Any) -> HttpResponse:
    return Client().get(path_to(invoice, **more))


def test_a_link_needs_no_sign_escaped_but_those_that_are() -> None:
    key = urlsplit(invoice_link("EGAC-2026-00042")).query

    assert key == urlencode({"key": parse_qs(key)["key"][0]})


def test_a_new_secret_signs_from_then_on(settings: Settings) -> None:
    invoice = InvoiceFactory.create()
    old = path_to(invoice)

    settings.SECRET_KEY = "another secret, as long as it takes to be one"

    assert [Client().get(path).status_code for path in (old, path_to(invoice))] == [403, 200]


@pytest.mark.parametrize(
    ("suffix", "content_type"), [("", "text/html; charset=utf-8"), (".pdf", "application/pdf")]
)
def test_the_link_opens_its_invoice_without_a_login(suffix: str, content_type: str) -> None:
    invoice = InvoiceFactory.create()

    answer = open_it(invoice, suffix=suffix)

    assert answer.status_code == 200
    assert answer["Content-Type"] == content_type
    text = text_of(answer.content) if suffix else answer.content.decode()
    assert f"Invoice {invoice.number}" in text
    assert "£42.00" in text


def test_the_page_links_to_the_pdf_with_the_same_key() -> None:
    key = path_to(InvoiceFactory.create()).partition("key=")[2]
    invoice = Invoice.objects.get()

    page = open_it(invoice, key=key).content.decode()

    assert f'href="{invoice.number}.pdf?key={key}"' in page


def test_the_pdf_is_saved_under_the_number() -> None:
    invoice = InvoiceFactory.create(number="EGAC-2026-00042")

    answer = open_it(invoice, suffix=".pdf")

    assert answer["Content-Disposition"] == 'attachment; filename="EGAC-2026-00042.pdf"'


@pytest.mark.parametrize("suffix", ["", ".pdf"])
@pytest.mark.parametrize(
    ("key", "status"),
    [
        (lambda invoice, other: "", 403),
        (lambda invoice, other: "nonsense", 403),
        (lambda invoice, other: signing.dumps(invoice.number, salt=SALT)[:-1], 403),
        (lambda invoice, other: signing.dumps(invoice.number, salt="another"), 403),
        (lambda invoice, other: signing.dumps(other.number, salt=SALT), 403),
        (lambda invoice, other: signing.dumps([invoice.number], salt=SALT), 403),
    ],
)
def test_another_key_opens_nothing_and_says_what_to_do(
    key: Callable[[Invoice, Invoice], str], status: int, suffix: str
) -> None:
    invoice, other = InvoiceFactory.create_batch(2)

    answer = open_it(invoice, suffix=suffix, key=key(invoice, other))

    page = answer.content.decode()
    assert answer.status_code == status
    assert WORDS in page
    assert invoice.customer.name not in page


def test_a_link_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = InvoiceFactory.create()
    path = path_to(invoice)
    signed_at = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: signed_at + GOOD_FOR.total_seconds() + 60)

    answer = Client().get(path)

    assert answer.status_code == 410
    assert "expired" in answer.content.decode()
    assert WORDS in answer.content.decode()


def test_the_link_of_an_invoice_that_is_gone_says_so() -> None:
    answer = open_it(InvoiceFactory.build(number="EGAC-2026-99999"))

    assert answer.status_code == 410
    assert WORDS in answer.content.decode()


@pytest.mark.parametrize("suffix", ["", ".pdf"])
@pytest.mark.parametrize("key", [None, "nonsense"])
def test_no_answer_is_kept_found_framed_or_tells_the_address(key: str | None, suffix: str) -> None:
    answer = open_it(InvoiceFactory.create(), suffix=suffix, key=key)

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("suffix", ["", ".pdf"])
def test_it_needs_and_makes_no_session(suffix: str) -> None:
    answer = open_it(InvoiceFactory.create(), suffix=suffix)

    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_looked_at(method: str) -> None:
    answer = getattr(Client(), method)(path_to(InvoiceFactory.create()))

    assert answer.status_code == 405


def test_the_page_holds_nothing_that_its_policy_forbids() -> None:
    page = open_it(InvoiceFactory.create(billed_to='<b>王小明</b>"')).content.decode()

    assert "&lt;b&gt;王小明&lt;/b&gt;" in page
    for forbidden in ("<script", "<style", " style=", "onclick", "http://", "https://"):
        assert forbidden not in page, forbidden


def test_an_old_link_shows_the_invoice_as_it_stands_now() -> None:
    invoice = InvoiceFactory.create()
    path = path_to(invoice)
    Invoice.objects.update(status="paid", paid=invoice.total, paid_on=date(2026, 12, 1))

    page = Client().get(path).content.decode()

    assert "Paid on Tuesday 1 December 2026" in page
    assert "Please pay" not in page


def test_every_figure_is_the_same_in_the_messages_on_the_page_and_in_the_pdf(
    settings: Settings,
) -> None:
    settings.BILLING_TAX_RATE = Decimal("20")
    booking = BookingFactory.create(customer__agreed=True)
    written = [Written("Kit", Decimal("33.33"), quantity=3), Written("Bib", Decimal("0.05"))]
    invoice = issue_invoice(
        booking, written=written, on=date(2026, 11, 22), due_on=date(2026, 11, 27)
    )

    page = open_it(invoice).content.decode()
    pdf = text_of(open_it(invoice, suffix=".pdf").content)
    email, whatsapp = (row.render() for row in Notification.objects.order_by("pk"))

    everywhere = [page, pdf, email["html"], email["text"], email["subject"], str(whatsapp)]
    for said in everywhere:
        assert "£120.05" in said  # 3 × 33.33 + 0.05, and 20.00 + 0.01 tax
        assert "Friday 27 November 2026" in said
        assert invoice.number in said
    for figure in ("£33.33", "£99.99", "£20.00 (20%)", "£0.01 (20%)", "£100.04", "£20.01"):
        assert figure in page, figure
        assert figure in pdf, figure
