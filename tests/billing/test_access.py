"""Access follows the oldest unpaid invoice: each move one line, one message, one alert."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing.access import bookings_to_look_at, move_bookings, moves_due
from billing.models import Invoice, Payment
from billing.services import Received, cancel_invoice, record_payment
from bookings.models import Booking, BookingEvent
from egac.outbox import Irrelevant
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory

pytestmark = pytest.mark.django_db

Access = Booking.Access
TODAY = date(2026, 12, 20)
STAFF = ["office@club.example", "chair@club.example"]


@pytest.fixture(autouse=True)
def staff(settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = STAFF


def late(days: int, **fields: Any) -> Invoice:
    """Return an unpaid invoice that is so many days late."""
    return InvoiceFactory.create(due_on=TODAY - timedelta(days=days), **fields)


def look(on: date = TODAY) -> list[str]:
    """Let the mover look at every booking; return where it moved them."""
    return [
        str(each.change.new) for each in move_bookings(bookings_to_look_at(on), on=on, actor="test")
    ]


def access_of(booking: Booking) -> str:
    return Booking.objects.get(pk=booking.pk).access_status


@pytest.mark.parametrize(
    ("days", "access"),
    [
        (0, Access.ACTIVE),
        (7, Access.ACTIVE),
        (8, Access.GRACE),
        (10, Access.GRACE),
        (11, Access.LOCKED),
        (90, Access.LOCKED),
    ],
)
def test_lateness_takes_access(days: int, access: Access) -> None:
    booking = late(days).booking

    look()

    assert access_of(booking) == access


def test_the_thresholds_are_settings(settings: Settings) -> None:
    settings.GRACE_AFTER_DAYS, settings.LOCK_AFTER_DAYS = 2, 3
    booking = late(3).booking

    look()

    assert access_of(booking) == Access.LOCKED


@pytest.mark.parametrize(("younger", "access"), [(0, Access.ACTIVE), (9, Access.GRACE)])
def test_once_the_oldest_is_paid_the_next_one_counts(younger: int, access: Access) -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)
    late(40, booking=booking, is_paid=True)
    late(younger, booking=booking)

    look()

    assert access_of(booking) == access


@pytest.mark.parametrize("fields", [{"is_paid": True}, {"status": "cancelled"}, {"net": 0}])
def test_an_invoice_that_asks_for_nothing_takes_no_access(fields: dict[str, Any]) -> None:
    booking = late(40, **fields).booking

    assert look() == []
    assert access_of(booking) == Access.ACTIVE


def test_a_cancelled_booking_is_left_alone() -> None:
    late(40, booking__status=Booking.Status.CANCELLED)

    assert look() == []


def test_a_move_is_one_line_one_message_a_channel_and_one_alert_a_member_of_staff() -> None:
    invoice = late(8, booking__customer__agreed=True)

    look()

    (line,) = BookingEvent.objects.all()
    assert (line.kind, line.old, line.new, line.actor) == (
        "access",
        "active",
        "overdue_grace",
        "test",
    )
    assert line.why == f"Invoice {invoice.number} is 8 days late."
    assert {row.key for row in Notification.objects.all()} == {
        f"access_grace/{line.pk}/email",
        f"access_grace/{line.pk}/whatsapp",
        *(f"staff_alert/access_grace/{line.pk}/{address}" for address in STAFF),
    }


@pytest.mark.parametrize(
    ("old", "days", "type", "channels"),
    [
        (Access.ACTIVE, 9, "access_grace", ["email", "whatsapp"]),
        (Access.GRACE, 11, "access_locked", ["email", "whatsapp"]),
        (Access.LOCKED, 9, "access_grace", ["email", "whatsapp"]),
        (Access.LOCKED, 0, "access_restored", ["email"]),
    ],
)
def test_the_customer_is_told_on_the_channels_of_the_table(
    old: Access, days: int, type: str, channels: list[str]
) -> None:
    booking = BookingFactory.create(access_status=old, customer__agreed=True)
    late(days, booking=booking)

    look()

    told = Notification.objects.exclude(type="staff_alert").order_by("pk")
    assert [row.type for row in told] == [type] * len(channels)
    assert [row.payload["channel"] for row in told] == channels


def test_looking_again_moves_nothing_and_tells_nobody() -> None:
    late(12)
    look()
    before = Notification.objects.count()

    assert look() == []
    assert Notification.objects.count() == before


def test_a_message_that_cannot_be_queued_leaves_the_booking_where_it_was() -> None:
    booking = late(12, booking__customer__name=" ").booking

    with pytest.raises(Exception, match="lacks name"):
        look()

    assert access_of(booking) == Access.ACTIVE
    assert not BookingEvent.objects.exists()


def test_staff_hear_that_a_customer_could_not_be_told() -> None:
    late(12, booking__customer__email="")

    look()

    (alert, _) = Notification.objects.all()
    assert alert.type == "staff_alert"
    assert "could not be told" in alert.payload["context"]["details"]


def test_a_wrong_address_of_staff_stops_no_move(settings: Settings) -> None:
    settings.STAFF_ALERT_EMAILS = ["office", *STAFF]
    late(12)

    assert look() == [Access.LOCKED]
    assert Notification.objects.filter(type="staff_alert").count() == 2


def test_what_is_only_looked_at_writes_nothing() -> None:
    booking = late(12).booking

    (due,) = moves_due(bookings_to_look_at(TODAY), on=TODAY)

    assert due.change.new == Access.LOCKED
    assert [message.type for message in due.messages] == ["access_locked", *["staff_alert"] * 2]
    assert access_of(booking) == Access.ACTIVE
    assert not Notification.objects.exists()


# A message that lost its point


def ask_of(type: str) -> None:
    """Ask the latest message of a type whether it still has a point, as is done before it goes."""
    row = told(type)
    Notification.look_up([row])
    row.check_relevance()


def told(type: str) -> Notification:
    return Notification.objects.filter(type=type).latest("pk")


def test_a_lock_that_is_lifted_is_not_told() -> None:
    booking = late(12).booking
    look()
    Booking.objects.filter(pk=booking.pk).update(access_status=Access.ACTIVE)

    with pytest.raises(Irrelevant, match="active by now"):
        ask_of("access_locked")


def test_a_lock_of_an_invoice_that_is_paid_is_not_told() -> None:
    invoice = late(12)
    look()
    Invoice.objects.update(status="paid", paid=invoice.total, paid_on=TODAY)

    with pytest.raises(Irrelevant, match="is paid"):
        ask_of("access_locked")


def test_nothing_is_told_of_a_booking_that_was_cancelled() -> None:
    late(9)
    look()
    Booking.objects.update(status=Booking.Status.CANCELLED)

    with pytest.raises(Irrelevant, match="cancelled"):
        ask_of("access_grace")


def test_a_lock_that_still_holds_is_told() -> None:
    late(12)
    look()

    ask_of("access_locked")


# Payments and cancellations give it back at once


def pay(invoice: Invoice) -> Payment:
    received = Received(invoice.total, invoice.currency, TODAY, Payment.Method.CASH)
    return record_payment(invoice, received, by="Ann")


def long_late(booking: Booking, days: int) -> Invoice:
    """Return an unpaid invoice that is so many days late today, on the real clock."""
    return InvoiceFactory.create(
        booking=booking, due_on=timezone.localdate() - timedelta(days=days)
    )


def test_paying_gives_the_access_back_at_once() -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)
    invoice = long_late(booking, 30)

    pay(invoice)

    assert access_of(booking) == Access.ACTIVE
    (line,) = BookingEvent.objects.all()
    assert (line.actor, line.new) == ("payment", "active")
    assert told("access_restored").key == f"access_restored/{line.pk}/email"
    assert told("access_restored").priority < told("payment_received").priority


def test_paying_one_of_two_late_invoices_leaves_what_the_other_asks_for() -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)
    oldest = long_late(booking, 30)
    long_late(booking, 9)

    pay(oldest)

    assert access_of(booking) == Access.GRACE


def test_paying_takes_no_access_away() -> None:
    booking = BookingFactory.create()
    oldest = long_late(booking, 40)
    long_late(booking, 30)

    pay(oldest)

    assert access_of(booking) == Access.ACTIVE
    assert not BookingEvent.objects.exists()


def test_a_payment_gives_back_what_a_later_business_date_took() -> None:
    invoice = long_late(BookingFactory.create(), 30)
    look(timezone.localdate() + timedelta(days=60))

    pay(invoice)

    assert access_of(invoice.booking) == Access.ACTIVE


def test_a_part_payment_leaves_the_access_as_it_is() -> None:
    booking = BookingFactory.create(access_status=Access.LOCKED)
    invoice = long_late(booking, 30)

    record_payment(
        invoice, Received(invoice.total / 2, "GBP", TODAY, Payment.Method.CASH), by="Ann"
    )

    assert access_of(booking) == Access.LOCKED


def test_cancelling_the_late_invoice_gives_the_access_back() -> None:
    booking = BookingFactory.create(access_status=Access.GRACE)
    invoice = long_late(booking, 9)

    cancel_invoice(invoice, why="It was billed twice.")

    assert access_of(booking) == Access.ACTIVE
