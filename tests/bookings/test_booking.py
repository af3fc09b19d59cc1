"""A booking is made once, confirmed once with one message a channel, and cancelled for good."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingEvent
from bookings.services import (
    Refused,
    cancel_bookings,
    confirm_bookings,
    make_booking,
)
from egac.days import instant_in_words
from egac.staff import CHANGED_MEANWHILE
from notifications.models import Notification
from notifications.passes import run_pass
from tests.bookings.factories import (
    AN_EVENING,
    BookingFactory,
    ClassPackageFactory,
    CustomerFactory,
    EnrolmentFactory,
)
from tests.egac.threads import side_by_side
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = Booking.Status
NOW = AN_EVENING - timedelta(days=3)


def waiting(**more: Any) -> Booking:
    return BookingFactory.create(status=Status.PENDING, **more)


def confirm(*bookings: Booking, **more: Any) -> Any:
    return confirm_bookings([each.pk for each in bookings], now=NOW, actor="sam", **more)


def cancel(*bookings: Booking) -> Any:
    return cancel_bookings([each.pk for each in bookings], because="moved away", actor="sam")


def context_of(booking: Booking) -> dict[str, Any]:
    return Notification.objects.get(payload__context__booking_id=booking.pk).payload["context"]


# Made


def unsaved(**more: Any) -> Booking:
    customer, package = CustomerFactory.create(), ClassPackageFactory.create()
    terms = {"billed_through_on": None, "status": Status.CONFIRMED}
    return BookingFactory.build(customer=customer, package=package, **(terms | more))


def test_a_booking_that_is_made_waits_to_be_confirmed() -> None:
    booking = make_booking(unsaved(), actor="sam")

    assert Booking.objects.get().status == Status.PENDING
    event = booking.events.get()
    assert (event.kind, event.actor) == (BookingEvent.Kind.MADE, "sam")


@pytest.mark.parametrize(
    ("terms", "billed_through_on"),
    [
        ({"billing_anchor_on": date(2026, 12, 1)}, date(2026, 11, 30)),
        (
            {"billing_anchor_on": date(2026, 12, 1), "billed_through_on": date(2027, 1, 9)},
            date(2027, 1, 9),
        ),
        ({"billing_anchor_on": None}, None),
        ({"plan": "per_class", "billing_anchor_on": None}, None),
    ],
)
def test_a_monthly_booking_is_billed_from_its_anchor_on(
    terms: dict[str, Any], billed_through_on: date | None
) -> None:
    booking = make_booking(unsaved(**terms), actor="sam")

    assert booking.billed_through_on == billed_through_on


def test_the_same_booking_is_not_made_twice() -> None:
    first = make_booking(unsaved(), actor="sam")
    again = BookingFactory.build(customer=first.customer, package=first.package)

    with pytest.raises(Refused, match=f"number {first.pk}"):
        make_booking(again, actor="sam")

    assert Booking.objects.count() == 1


@pytest.mark.parametrize("change", [{"weekdays": [4]}, {"starts_at_time": None}])
def test_a_booking_at_another_time_is_another(change: dict[str, Any]) -> None:
    first = make_booking(unsaved(), actor="sam")

    make_booking(
        BookingFactory.build(customer=first.customer, package=first.package, **change), actor="sam"
    )

    assert Booking.objects.count() == 2


def test_a_cancelled_booking_can_be_made_anew() -> None:
    first = make_booking(unsaved(), actor="sam")
    cancel(first)

    make_booking(BookingFactory.build(customer=first.customer, package=first.package), actor="sam")

    assert Booking.objects.count() == 2


# Confirmed


def test_a_confirmed_booking_tells_its_customer_on_each_channel() -> None:
    booking = waiting(customer__agreed=True)

    changed = confirm(booking)

    assert changed.changed == 1
    assert Booking.objects.get().status == Status.CONFIRMED
    keys = Notification.objects.values_list("key", flat=True)
    start = f"booking_confirmation/{booking.pk}"
    assert set(keys) == {f"{start}/email", f"{start}/whatsapp"}
    assert booking.events.get().kind == BookingEvent.Kind.CONFIRMED


def test_a_customer_who_did_not_agree_to_whatsapp_gets_an_e_mail_only() -> None:
    confirm(waiting())

    assert Notification.objects.get().payload["channel"] == "email"


@pytest.mark.parametrize("email", ["", "no-address-at-all"])
def test_a_customer_without_any_address_is_confirmed_and_not_told(email: str) -> None:
    changed = confirm(waiting(customer__email=email, customer__phone="", customer__agreed=True))

    assert (changed.changed, Notification.objects.count()) == (1, 0)


def test_the_confirmation_says_what_was_booked() -> None:
    booking = waiting(package__name="Junior running", weekdays=[4, 2], customer__name="Zoë Hart")

    confirm(booking)

    assert context_of(booking) == {
        "booking_id": booking.pk,
        "customer_id": booking.customer_id,
        "name": "Zoë Hart",
        "booking": "Junior running (monthly)",
        "times": "Tuesdays and Thursdays at 18:30 UK time",
        "first_class_at": "Tuesday 1 December 2026 at 18:30 GMT",
        "price": "£42.00 a month",
        "how_billed": "We send you an invoice 5 days before each payment is due.",
    }


def test_a_confirmation_without_days_leaves_no_hole() -> None:
    booking = waiting(weekdays=[], starts_at_time=None)

    confirm(booking)

    context = context_of(booking)
    assert context["times"] == "as agreed with you"
    assert context["first_class_at"] == "the day that we agree with you"


def test_the_first_class_is_the_first_one_it_is_enrolled_in() -> None:
    booking = waiting()
    starts_at = timezone.now() + timedelta(days=800)
    EnrolmentFactory.create(booking=booking, session__starts_at=starts_at)

    confirm(booking)

    assert context_of(booking)["first_class_at"] == instant_in_words(starts_at)


def test_confirming_twice_tells_once() -> None:
    booking = waiting()
    confirm(booking)

    changed = confirm(booking)

    assert (changed.changed, changed.skipped) == (0, {"confirmed already": 1})
    assert Notification.objects.count() == BookingEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"price": None}, "without a price"),
        ({"billing_anchor_on": None}, "monthly and without a billing anchor"),
        ({"status": Status.CANCELLED}, "cancelled"),
    ],
)
def test_a_booking_that_cannot_be_confirmed_says_why(terms: dict[str, Any], why: str) -> None:
    booking = BookingFactory.create(**({"status": Status.PENDING} | terms))

    assert confirm(booking).skipped == {why: 1}


def test_a_booking_that_changed_since_the_page_was_opened_is_skipped() -> None:
    booking = waiting()

    changed = confirm(booking, seen={booking.pk: NOW})

    assert changed.skipped == {CHANGED_MEANWHILE: 1}


@in_threads
def test_eight_presses_at_once_confirm_once() -> None:
    booking = waiting()

    answers = side_by_side(8, lambda _: confirm(booking).changed)

    assert sum(answers) == 1
    assert Notification.objects.count() == BookingEvent.objects.count() == 1


# Cancelled


def test_a_cancelled_booking_says_who_cancelled_it_and_why() -> None:
    booking = BookingFactory.create()

    changed = cancel(booking)

    assert (changed.changed, Booking.objects.get().status) == (1, Status.CANCELLED)
    event = booking.events.get()
    assert (event.kind, event.actor, event.why) == ("cancelled", "sam", "moved away")


def test_cancelling_twice_writes_one_line() -> None:
    booking = BookingFactory.create()
    cancel(booking)

    assert cancel(booking).skipped == {"cancelled already": 1}
    assert BookingEvent.objects.count() == 1


def test_a_cancelled_booking_gives_up_its_places_to_come_and_keeps_those_behind() -> None:
    booking = BookingFactory.create()
    behind = timezone.now() - timedelta(days=1)
    kept = EnrolmentFactory.create(booking=booking, session__starts_at=behind)
    EnrolmentFactory.create(booking=booking, session__starts_at=behind + timedelta(days=2))

    cancel(booking)

    assert booking.enrolments.get() == kept


@in_threads
def test_a_confirmation_of_a_booking_that_was_cancelled_since_is_not_sent(
    provider: ProviderServer,
) -> None:
    booking = waiting(customer__agreed=True)
    confirm(booking)
    cancel(booking)

    run_pass(limit=10, seconds=30)

    rows = Notification.objects.values_list("status", "reason", "last_error")
    assert set(rows) == {("cancelled", "irrelevant", "The booking was cancelled.")}
    assert provider.resend.calls == provider.whatsapp.calls == []
