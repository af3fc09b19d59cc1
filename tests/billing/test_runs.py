"""Runs of the invoice jobs: again, in any order, side by side, in batches, with a bad row."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import batches
from billing.models import BillingProblem, Invoice, InvoiceCounter, InvoiceLine
from billing.services import Watch, generate_monthly_invoices, generate_t5_invoices
from bookings.models import Booking, BookingEvent
from notifications.models import Notification
from tests.billing.factories import a_class, stored
from tests.billing.test_access_races import in_a_thread, someone_waits, uncommitted
from tests.bookings.factories import AGREED_AT, BookingFactory, make_bookings
from tests.egac.threads import side_by_side
from tests.providers.client import eventually

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

FIRST = date(2026, 12, 1)
MONTH = [FIRST + timedelta(days=n) for n in range(31)]
TABLES = (Invoice, InvoiceLine, InvoiceCounter, BookingEvent, Notification, BillingProblem)
JOBS: list[Callable[[date], dict[str, Any]]] = [generate_monthly_invoices, generate_t5_invoices]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 3)


def a_club() -> None:
    """Monthly bookings of several anchors, one of them locked, and classes all over the month."""
    for day in (1, 3, 5, 15, 28, 30, 31):
        # The latest billing date before the month.
        anchor_on = date(2026, 10, day)
        billed_until = min(date(2026, 11, min(day, 30)), date(2026, 11, 30))
        BookingFactory.create(
            billing_anchor_on=anchor_on, billed_through_on=billed_until - timedelta(days=1)
        )
    Booking.objects.filter(billing_anchor_on__day=15).update(access_status=Booking.Access.LOCKED)
    for n in range(4):
        booking = BookingFactory.create(per_class=True, price=Decimal("12.50"))
        for week in range(4):
            a_class(booking, FIRST + timedelta(days=7 * week + n))


def run_all(on: date) -> None:
    for generate in JOBS:
        generate(on)


def billed_facts() -> tuple[set[Any], set[Any], set[Any]]:
    """Return which periods were billed and waived, and which classes."""
    of_months = Invoice.objects.filter(kind=Invoice.Kind.MONTHLY)
    return (
        set(of_months.values_list("booking", "period_starts_on", "period_ends_on", "due_on")),
        set(BookingEvent.objects.values_list("booking", "kind", "new")),
        set(InvoiceLine.objects.filter(enrolment__isnull=False).values_list("enrolment")),
    )


def assert_numbers_have_no_gap() -> None:
    """Fail where a number of a year is missing or the counter says another last one."""
    for counter in InvoiceCounter.objects.all():
        year = Invoice.objects.filter(number__startswith=f"EGAC-{counter.year}-")
        numbers = sorted(year.values_list("number", flat=True))
        expected = [f"EGAC-{counter.year}-{n:05d}" for n in range(1, counter.last + 1)]
        assert numbers == expected


# Invariant 14


@in_threads
@pytest.mark.usefixtures("small_batches")
def test_14_a_month_of_runs_again_in_any_order_side_by_side_adds_not_one_row() -> None:
    a_club()
    for on in MONTH:
        run_all(on)
    before, facts = [stored(model) for model in TABLES], billed_facts()
    again = random.Random(14).sample(MONTH, len(MONTH))

    side_by_side(4, lambda place: [run_all(on) for on in again[place::4]])

    assert [stored(model) for model in TABLES] == before
    assert [len(part) for part in facts] == [15, 2, 16]


@in_threads
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_14_any_order_side_by_side_bills_what_one_run_a_day_bills(seed: int) -> None:
    a_club()
    bookings = list(Booking.objects.all())
    for on in MONTH:
        run_all(on)
    in_order = billed_facts()
    for model in (InvoiceLine, Invoice, InvoiceCounter, BookingEvent, Notification):
        model.objects.all().delete()
    Booking.objects.bulk_update(bookings, ["billed_through_on"])
    # The last day comes for sure; of the others some do not come, and some twice.
    chance = random.Random(seed)
    days = [*chance.choices(MONTH, k=20), MONTH[-1]]
    chance.shuffle(days)

    side_by_side(4, lambda place: [run_all(on) for on in days[place::4]])

    assert billed_facts() == in_order
    assert_numbers_have_no_gap()


@in_threads
@pytest.mark.parametrize("generate", JOBS)
@pytest.mark.parametrize("times", [2, 8])
def test_14_runs_of_one_day_side_by_side_bill_what_one_bills(
    generate: Callable[[date], dict[str, Any]], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 7)
    make_bookings(20)
    make_bookings(5, price=None)
    for booking in make_bookings(10, plan="per_class"):
        a_class(booking, FIRST)

    side_by_side(times, lambda _: generate(MONTH[4]))

    expected = 20 if generate is generate_monthly_invoices else 10
    assert Invoice.objects.count() == Notification.objects.count() == expected
    assert InvoiceCounter.objects.get().last == expected
    assert_numbers_have_no_gap()
    assert BillingProblem.objects.count() in (0, 5)


@in_threads
def test_14_runs_for_days_of_two_years_side_by_side_bill_each_period_once() -> None:
    make_bookings(12, billed_through_on=date(2026, 12, 31), billing_anchor_on=FIRST)
    days = [date(2026, 12, 31), date(2027, 1, 1)]

    results = side_by_side(8, lambda place: generate_monthly_invoices(days[place % 2]))

    assert Invoice.objects.count() == 12
    assert sum(result["error_count"] for result in results) == 0
    assert_numbers_have_no_gap()


@in_threads
def test_a_booking_that_is_cancelled_while_it_is_looked_at_is_not_billed() -> None:
    BookingFactory.create()

    with ThreadPoolExecutor(1) as pool:
        with uncommitted(lambda: Booking.objects.update(status=Booking.Status.CANCELLED)):
            run = pool.submit(in_a_thread(lambda: generate_monthly_invoices(FIRST)))
            assert eventually(someone_waits, seconds=20)
        result = run.result(20)

    assert (result["created_count"], Invoice.objects.count()) == (0, 0)


# Batches and bad rows


@pytest.fixture
def a_row_that_breaks() -> Iterator[Booking]:
    """A booking whose invoice the database itself refuses, as nobody foresaw."""
    good = make_bookings(4)
    bad = good[2]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.booking_id = {bad.pk} THEN RAISE EXCEPTION 'the disc is made of cheese'; "
            "END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    return bad


def test_one_bad_row_is_reported_by_name_and_the_others_are_billed(
    a_row_that_breaks: Booking,
) -> None:
    result = generate_monthly_invoices(FIRST)

    assert (result["created_count"], result["error_count"]) == (3, 1)
    [error] = result["errors"]
    assert error["booking_id"] == a_row_that_breaks.pk
    assert error["customer"] == a_row_that_breaks.customer.name
    assert error["error"] == "It could not be billed: the disc is made of cheese"
    assert BillingProblem.objects.get().why == error["error"]
    a_row_that_breaks.refresh_from_db()
    assert a_row_that_breaks.billed_through_on == date(2026, 12, 2)


def test_a_bad_row_leaves_no_gap_in_the_numbers(a_row_that_breaks: Booking) -> None:
    generate_monthly_invoices(FIRST)

    assert InvoiceCounter.objects.get().last == 3
    assert_numbers_have_no_gap()


@pytest.mark.usefixtures("small_batches")
def test_a_run_that_is_stopped_ends_with_its_batch_and_says_what_is_left() -> None:
    make_bookings(8)
    make_bookings(1, price=None)
    stop, seen = Event(), []

    def on_progress(done: int, total: int) -> None:
        seen.append((done, total))
        stop.set()

    result = generate_monthly_invoices(FIRST, watch=Watch(stop=stop, on_progress=on_progress))

    assert seen == [(3, 9)]
    assert (result["created_count"], result["left"]) == (3, 6)
    assert result["note"] == "It was stopped: 6 bookings go with the next run."


@pytest.mark.usefixtures("small_batches")
def test_a_run_that_was_stopped_solves_no_problem_that_it_did_not_look_at() -> None:
    make_bookings(3)
    make_bookings(1, price=None)
    generate_monthly_invoices(FIRST)
    Invoice.objects.all().delete()
    Booking.objects.update(billed_through_on=date(2026, 12, 2))
    stop = Event()
    stop.set()

    generate_monthly_invoices(FIRST, watch=Watch(stop=stop))

    assert BillingProblem.objects.get().solved_at is None


@pytest.mark.usefixtures("small_batches")
def test_hears_of_every_row_though_the_result_lists_the_first_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("billing.listing.MOST_LISTED", 5)
    make_bookings(8)
    heard: list[Any] = []

    result = generate_monthly_invoices(FIRST, dry_run=True, watch=Watch(on_rows=heard.extend))

    assert [row["invoice_number"] for row in heard] == [f"EGAC-2026-0000{n}" for n in range(1, 9)]
    assert result["results"] == heard[:5]
    assert (result["created_count"], result["note"]) == (8, "The first 5 of 8 rows are listed.")


@pytest.mark.parametrize("generate", JOBS)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_batch_takes_as_many_queries_for_15_bookings_as_for_3(
    generate: Callable[..., dict[str, Any]], dry_run: bool
) -> None:
    counts = []
    for more in (3, 12):
        for _ in range(more):
            BookingFactory.create(customer__whatsapp_opted_in_at=AGREED_AT)
            a_class(BookingFactory.create(per_class=True), FIRST - timedelta(days=1))
        with CaptureQueriesContext(connection) as asked:
            told = generate(FIRST, dry_run=dry_run)
        assert len(told["results"]) >= more
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_nothing_to_bill_is_a_result_too() -> None:
    result = generate_t5_invoices(FIRST)

    assert result == {
        "ok": True,
        "success": True,
        "dry_run": False,
        "execution_date": "2026-12-01",
        "total_checked": 0,
        "total_generated": 0,
        "total_skipped": 0,
        "total_errors": 0,
        "amounts": {},
        "errors": [],
        "results": [],
        "left": 0,
        "note": "",
    }
