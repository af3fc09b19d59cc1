"""Staff issue an invoice of their own words: they see it whole before it is one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing.models import Invoice, InvoiceCounter
from bookings.models import Booking
from notifications.models import Notification
from tests.bookings.factories import BookingFactory
from tests.bookings.staff_pages import message_of, page_of
from tests.staff import login

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/invoice/add/"


@pytest.fixture
def operator() -> Client:
    return login("Operators")


@pytest.fixture
def booking(settings: Settings) -> Booking:
    settings.BILLING_TAX_RATE = Decimal("20")
    return BookingFactory.create(customer__name="Zoë Hart", customer__agreed=True)


def typed(booking: Booking, *lines: tuple[str, str, str], **more: str) -> dict[str, str]:
    """Return what is typed: lines of description, quantity and price."""
    due_on = timezone.localdate() + timedelta(days=14)
    posted = {"booking": str(booking.pk), "due_on": due_on.isoformat()}
    posted |= {"form-TOTAL_FORMS": "5", "form-INITIAL_FORMS": "0"}
    for place, (description, quantity, price) in enumerate(lines):
        posted[f"form-{place}-description"] = description
        posted[f"form-{place}-quantity"] = quantity
        posted[f"form-{place}-unit_price"] = price
    for place in range(len(lines), 5):
        posted[f"form-{place}-quantity"] = "1"
    return {**posted, **more}


KIT = ("A vest", "3", "33.33")
ISSUE = {"confirmed": "1"}


def errors_of(answer: Any) -> str:
    forms = [answer.context["form"], *answer.context["lines"]]
    lines = answer.context["lines"].non_form_errors()
    return " ".join([str(form.errors) for form in forms] + [str(lines)])


def test_the_invoice_is_shown_whole_before_anything_is_written(
    operator: Client, booking: Booking
) -> None:
    page = page_of(operator.post(ADD, typed(booking, KIT)))

    for words in ("Zoë Hart", "A vest", "£99.99", "£20.00 (20%)", "£119.99", "email and whatsapp"):
        assert words in page, words
    assert not Invoice.objects.exists()
    assert not InvoiceCounter.objects.exists()


def test_confirmed_it_is_issued_numbered_and_told(operator: Client, booking: Booking) -> None:
    answer = operator.post(ADD, typed(booking, KIT, ("A bib", "1", "5"), **ISSUE), follow=True)

    invoice = Invoice.objects.get()
    assert message_of(answer) == f"Invoice {invoice.number} over £125.99 was issued."
    assert (invoice.kind, invoice.booking, invoice.total) == ("manual", booking, Decimal("125.99"))
    assert [line.description for line in invoice.lines.all()] == ["A vest", "A bib"]
    assert Notification.objects.filter(type="invoice_issued").count() == 2
    assert "Issued over £125.99" in LogEntry.objects.get().change_message


def test_what_the_preview_posts_is_what_was_typed(operator: Client, booking: Booking) -> None:
    answer = operator.post(ADD, typed(booking, KIT))

    context: Any = answer.context
    assert dict(context["typed"]) == typed(booking, KIT)


def test_it_can_be_changed_after_it_was_seen(operator: Client, booking: Booking) -> None:
    page = page_of(operator.post(ADD, typed(booking, KIT, change="1")))

    assert 'value="A vest"' in page
    assert "Look at it" in page


def test_18_a_second_press_issues_no_second_one(operator: Client, booking: Booking) -> None:
    operator.post(ADD, typed(booking, KIT, **ISSUE))

    answer = operator.post(ADD, typed(booking, KIT, **ISSUE))

    assert "was issued today already" in errors_of(answer)
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("lines", "more", "sentence"),
    [
        ([], {}, "Write at least 1 line"),
        ([("", "1", "5")], {}, "This field is required"),
        ([("A vest", "0", "5")], {}, "greater than or equal to 1"),
        ([("A vest", "1", "-5")], {}, "greater than or equal to 0"),
        ([("A vest", "1", "5.001")], {}, "no more than 2 decimal places"),
        ([("A vest", "999", "99999999")], {}, "asks for 99,999,999.99 at most"),
        ([KIT], {"due_on": "2020-01-01"}, "due today or later"),
        ([KIT], {"due_on": "2226-01-01"}, "less than or equal to 2099-12-31"),
        ([KIT], {"booking": "999999"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_form(
    operator: Client,
    booking: Booking,
    lines: list[tuple[str, str, str]],
    more: dict[str, str],
    sentence: str,
) -> None:
    answer = operator.post(ADD, {**typed(booking, *lines), **more})

    assert sentence in errors_of(answer)
    assert not Invoice.objects.exists()


def test_a_customer_whom_nobody_can_tell_is_named(operator: Client) -> None:
    booking = BookingFactory.create(customer__email="")

    page = page_of(operator.post(ADD, typed(booking, KIT)))

    assert "Nobody can be told" in page
    assert "Issue and tell the customer" not in page


def test_a_viewer_issues_nothing(booking: Booking) -> None:
    answer = login("Viewers").post(ADD, typed(booking, KIT, **ISSUE))

    assert answer.status_code == 403
    assert not Invoice.objects.exists()
