"""The month ahead says, day by day, what the nightly runs then do."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing import month_ahead as ahead
from billing.expected import CLASSES, CLASSES_TO_COME, INVOICES, PROBLEMS, WAIVERS, Expected
from billing.models import Invoice
from billing.month_ahead import DAYS, month_ahead, sum_of
from billing.services import generate_monthly_invoices, generate_t5_invoices
from bookings.models import Booking, BookingEvent, ClassSession, Enrolment
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory, make_bookings
from tests.staff import login

pytestmark = pytest.mark.django_db

FIRST = date(2026, 12, 1)
NIGHTS = [FIRST + timedelta(days=n) for n in range(DAYS)]
EXPECTED = {"attendance": "expected"}


def lines(section: str, days: list[ahead.Day]) -> list[Expected]:
    return [line for day in days if section in day.sections for line in day.sections[section].named]


def invoices(kind: str) -> set[Any]:
    rows = Invoice.objects.filter(kind=kind)
    return set(rows.values_list("issued_on", "booking", "billed_for", "total", "currency"))


def expected(*sections: str) -> set[Any]:
    """Return what the month ahead says of invoices, as stored ones are compared."""
    days = month_ahead(FIRST, most_named=1000)
    return {
        (line.on, line.booking.pk, line.what, line.amount, line.currency)
        for section in sections
        for line in lines(section, days)
    }


def test_says_on_which_day_each_month_is_billed_and_for_how_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("billing.expected.BATCH", 3)
    for day in (1, 2, 5, 15, 28, 30):
        anchor_on = date(2026, 11, day)
        BookingFactory.create(
            billing_anchor_on=anchor_on, billed_through_on=anchor_on - timedelta(days=1)
        )
    BookingFactory.create(price=Decimal("12.34"), currency="EUR")
    told = expected(INVOICES)

    for night in NIGHTS:
        generate_monthly_invoices(night)

    assert told == invoices("monthly")
    assert len(told) > 10
    assert {on for on, *_ in told} <= set(NIGHTS)


def test_says_what_is_waived_if_it_stays_locked() -> None:
    BookingFactory.create(access_status=Booking.Access.LOCKED)

    told = lines(WAIVERS, month_ahead(FIRST))

    for night in NIGHTS:
        generate_monthly_invoices(night)
    assert [line.on for line in told] == [date(2026, 12, 3)]
    assert BookingEvent.objects.get().new in told[0].what
    assert told[0].amount_in_words == ""


def test_says_what_cannot_be_billed_on_the_day_on_which_it_would_be() -> None:
    BookingFactory.create(price=None)
    BookingFactory.create(billing_anchor_on=None)

    told = lines(PROBLEMS, month_ahead(FIRST - timedelta(days=10)))

    assert [(line.on, line.what.partition(".")[0]) for line in told] == [
        (date(2026, 11, 21), "It has no billing anchor"),
        (date(2026, 11, 28), "It has no price"),
    ]


def test_says_which_classes_are_billed_if_everybody_attends() -> None:
    bookings = [BookingFactory.create(per_class=True, price=Decimal("8.50")) for _ in range(2)]
    for booking in bookings:
        a_class(booking, FIRST - timedelta(days=3))
        for day in (0, 6, 6, 13):
            a_class(booking, FIRST + timedelta(days=day), **EXPECTED)
    told = expected(CLASSES, CLASSES_TO_COME)
    Enrolment.objects.update(attendance=Enrolment.Attendance.ATTENDED)

    for night in NIGHTS:
        generate_t5_invoices(night)

    assert told == invoices("t5")
    assert len(told) == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"attendance": "missed"},
        {"session_status": ClassSession.Status.CANCELLED, **EXPECTED},
    ],
)
def test_expects_nothing_of_a_class_that_is_not_billed(fields: dict[str, Any]) -> None:
    a_class(BookingFactory.create(per_class=True), FIRST + timedelta(days=5), **fields)

    assert month_ahead(FIRST) == []


def test_names_the_first_and_sums_up_all() -> None:
    make_bookings(5)

    days = month_ahead(date(2026, 11, 28), most_named=2)

    section = days[0].sections[INVOICES]
    assert (section.count, len(section.named), section.left_out) == (5, 2, 3)
    assert section.total == "£210.00"
    assert [(each.title, each.count, each.total) for each in sum_of(days)] == [
        (INVOICES, 5, "£210.00")
    ]


def test_looking_ahead_changes_nothing() -> None:
    BookingFactory.create()

    month_ahead(FIRST)

    assert Booking.objects.get().billed_through_on == date(2026, 12, 2)
    assert not Invoice.objects.exists()


def test_the_page_names_who_is_invoiced_and_for_how_much() -> None:
    today = timezone.localdate()
    anchor_on = today - timedelta(days=40)
    BookingFactory.create(
        customer__name="Zoë Hart",
        billing_anchor_on=anchor_on,
        billed_through_on=anchor_on - timedelta(days=1),
    )

    page = login("Viewers").get("/admin/billing/monthahead/").content.decode()

    assert "Zoë Hart" in page
    assert "£42.00" in page
    assert "The whole month" in page


def test_an_empty_month_says_what_would_be_here() -> None:
    page = login("Viewers").get("/admin/billing/monthahead/").content.decode()

    assert "show here as soon as there is a confirmed booking" in page


def test_19_a_stranger_may_not_look_ahead() -> None:
    assert login().get("/admin/billing/monthahead/").status_code == 403


def test_the_page_leads_to_a_day_with_all_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "NAMED_A_PAGE", 4)
    today = timezone.localdate()
    make_bookings(7, billing_anchor_on=today, billed_through_on=today - timedelta(days=1))
    viewer = login("Viewers")
    month = viewer.get("/admin/billing/monthahead/").content.decode()
    url = f"/admin/billing/monthahead/{today}/"

    first, second = (viewer.get(f"{url}?rows={page}").content.decode() for page in (1, 2))

    assert url in month
    assert "And 2 more" in month
    assert "Further names" in first
    assert "Earlier names" in second
    assert [page.count("/admin/bookings/booking/") for page in (first, second)] == [4, 3]


@pytest.mark.parametrize("on", ["2020-01-01", "2999-12-31", "2026-02-31", "x"])
def test_a_day_beyond_the_month_is_not_there(on: str) -> None:
    assert login("Viewers").get(f"/admin/billing/monthahead/{on}/").status_code == 404
