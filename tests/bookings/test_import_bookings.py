"""Bookings of another system come in: the good lines together or none, each once."""

import json
from datetime import date, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection

from bookings.imports import import_bookings, preview_bookings
from bookings.models import Booking, BookingEvent, ClassPackage, Customer
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, ClassPackageFactory, CustomerFactory
from tests.egac.threads import side_by_side

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

PATH = Path(__file__).resolve().parents[1] / "data" / "bookings.csv"
SAMPLE = PATH.read_bytes()
TODAY = date(2026, 11, 24)


def bring_in(content: bytes = SAMPLE) -> dict[str, Any]:
    return import_bookings(content, today=TODAY, actor="sam")


def run(*arguments: str) -> tuple[str, int]:
    """Run the command; return what it printed and its exit status."""
    told = StringIO()
    try:
        call_command("import_bookings", *arguments, stdout=told)
    except SystemExit as ended:
        return told.getvalue(), int(str(ended.code))
    return told.getvalue(), 0


def test_the_sample_comes_in_and_each_refused_line_is_named() -> None:
    report = bring_in()

    counts = {name: report[name] for name in ("new", "new_customers", "new_packages", "refused")}
    assert counts == {"new": 5, "new_customers": 4, "new_packages": 3, "refused": 15}
    reasons = {each["line"]: each["reason"] for each in report["refused_lines"]}
    assert {line: reason[:46] for line, reason in reasons.items()} == {
        9: "2026-02-30 is no such day (whatsapp_opted_in_o",
        10: "It agreed to WhatsApp, but '' is no number (ph",
        11: "It has no billed_through_on: the last day that",
        12: "It is monthly and has no billing_anchor_on: th",
        13: "Its reference 'B-1001' stands on line 2 alread",
        14: "Its customer_reference C-1 is Amelia Hart's al",
        15: "It has no usable address: 'not-an-address' is ",
        16: "'weekly' is no plan: write monthly or per_clas",
        17: "'ten' is no price: write it like 42.00.",
        18: "The price '$10' is not in GBP: correct its cur",
        19: "'someday' is no day of the week: write for exa",
        20: "'25:00' is no time (start_time): write it like",
        21: "It has no reference.",
        22: "It has no name.",
        23: "'POUNDS' is no currency: write three letters l",
    }


def test_a_booking_comes_in_with_all_that_is_known_of_it() -> None:
    bring_in()

    booking = Booking.objects.get(reference="B-1001")
    assert (booking.status, booking.plan, booking.access_status) == (
        "confirmed",
        "monthly",
        "active",
    )
    assert (booking.weekdays, booking.starts_at_time) == ([2, 4], time(18, 30))
    assert (booking.price, booking.currency) == (Decimal("42.00"), "GBP")
    assert booking.billing_anchor_on == date(2025, 9, 3)
    assert booking.billed_through_on == date(2026, 11, 2)
    assert str(booking.package) == "Junior running"


def test_a_customer_comes_in_with_all_that_is_known_of_them() -> None:
    bring_in()

    customer = Customer.objects.get(reference="C-1")
    assert (customer.name, customer.email) == ("Amelia Hart", "amelia.hart@families.example")
    assert customer.whatsapp_opted_in_at is not None
    assert customer.whatsapp_opted_in_at.isoformat() == "2025-08-31T23:00:00+00:00"
    assert customer.address == "12 Bower Lane\nEast Grinstead"
    assert customer.note == "Prefers Thursdays"


def test_two_bookings_of_one_person_make_one_customer() -> None:
    bring_in()

    assert Customer.objects.get(reference="C-1").bookings.count() == 2


def test_a_customer_who_is_here_already_gets_the_booking_and_stays_as_they_are() -> None:
    there = CustomerFactory.create(name="noah  okafor", email="Noah.Okafor@families.example")

    bring_in()

    assert there.bookings.get().reference == "B-1003"
    there.refresh_from_db()
    assert there.name == "noah  okafor"


def test_one_name_at_one_address_with_two_references_are_two_people() -> None:
    other = CustomerFactory.create(
        name="Zoë Lindqvist", email="zoe@families.example", reference="C-8"
    )

    bring_in()

    assert not other.bookings.exists()
    assert Customer.objects.get(reference="C-9").bookings.count() == 1


def test_a_package_that_is_here_already_keeps_its_price() -> None:
    package = ClassPackageFactory.create(name="Junior Running", price=Decimal("40.00"))

    bring_in()

    package.refresh_from_db()
    assert package.bookings.count() == 3
    assert package.price == Decimal("40.00")


def test_an_adopted_booking_says_so_in_its_history_and_tells_nobody() -> None:
    bring_in()

    events = BookingEvent.objects.values_list("kind", "actor")
    assert list(events) == [("adopted", "sam")] * 5
    assert not Notification.objects.exists()


def test_importing_again_adds_nothing() -> None:
    bring_in()
    before = (Booking.objects.count(), Customer.objects.count(), ClassPackage.objects.count())

    report = bring_in()

    assert (report["new"], report["already_there"]) == (0, 5)
    assert report["already_there_lines"] == [2, 4, 6, 7, 8]
    after = (Booking.objects.count(), Customer.objects.count(), ClassPackage.objects.count())
    assert before == after


def test_a_booking_that_is_here_already_stays_as_it_is() -> None:
    booking = BookingFactory.create(reference="B-1001", price=Decimal("1.00"))

    bring_in()

    booking.refresh_from_db()
    assert booking.price == Decimal("1.00")


def test_a_preview_gives_the_same_report_and_saves_nothing() -> None:
    previewed = preview_bookings(SAMPLE, today=TODAY)
    nothing = not (Booking.objects.exists() or Customer.objects.exists())

    assert nothing
    assert previewed == bring_in()


def test_all_good_lines_go_in_or_none() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE booking_events ADD CONSTRAINT none CHECK (kind <> 'adopted')")

    with pytest.raises(IntegrityError):
        bring_in()

    assert not Customer.objects.exists()
    assert not ClassPackage.objects.exists()


@in_threads
def test_four_imports_at_once_make_each_booking_once() -> None:
    reports = side_by_side(4, lambda _: bring_in())

    assert sorted(report["new"] for report in reports) == [0, 0, 0, 5]
    assert (Booking.objects.count(), Customer.objects.count()) == (5, 4)


# The command


def test_the_command_names_every_refused_line_and_ends_with_1() -> None:
    told, status = run(str(PATH))

    assert status == 1
    assert told.startswith("5 new, of 4 new customers and 3 new packages, 0 already there, ")
    assert "15 refused." in told
    assert "line 11: It has no billed_through_on" in told
    assert Booking.objects.count() == 5


def test_a_dry_run_saves_nothing_and_says_so() -> None:
    told, status = run(str(PATH), "--dry-run")

    assert told.startswith("Dry run, nothing was saved. It would be: 5 new")
    assert (status, Booking.objects.count()) == (1, 0)


def test_a_file_of_good_lines_ends_with_0(tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_bytes(SAMPLE[: SAMPLE.index(b"B-1006")])

    told, status = run(str(good), "--json")

    assert status == 0
    assert json.loads(told)["new"] == 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"reference,customer\nB-1,Amelia\n", "There is no column package"),
        (b"PK\x03\x04", "a workbook or an archive"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_2(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=sentence) as refused:
        call_command("import_bookings", str(path))

    assert refused.value.returncode == 2
