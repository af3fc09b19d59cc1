"""The commands of the invoice jobs: what they print, and their exit status."""

import json
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing.models import Invoice
from bookings.models import Booking, ClassPackage
from jobs.models import JobRun
from tests.billing.factories import a_class
from tests.bookings.factories import BookingFactory, CustomerFactory
from tests.invites.test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)

ON = date(2026, 11, 28)
AT = f"--date={ON}"


def a_booking(**fields: Any) -> Booking:
    customer = CustomerFactory.create(name="Zoë Hart", email="zoe@families.example")
    package, _ = ClassPackage.objects.get_or_create(
        name="Junior running", plan="monthly", price=42, currency="GBP"
    )
    return BookingFactory.create(customer=customer, package=package, **fields)


def test_says_how_many_were_issued_and_for_how_much() -> None:
    a_booking()

    status, out, _ = run("generate_monthly_invoices", AT)

    assert status == 0
    assert out == (
        "1 invoice (£42.00), 0 periods waived, 0 left for later, 0 could not be billed.\n"
    )


def test_what_could_not_be_billed_is_exit_1_by_name_and_no_failed_run() -> None:
    a_booking(price=None)
    BookingFactory.create()

    status, out, _ = run("generate_monthly_invoices", AT)

    assert status == 1
    assert out.splitlines()[1:] == [
        "Could not be billed: Zoë Hart, Junior running (monthly). It has no price. "
        "Write one into the booking."
    ]
    assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED
    assert Invoice.objects.count() == 1


def test_15_a_dry_run_prints_every_field_and_its_run_is_marked_so() -> None:
    a_booking()

    status, out, _ = run("generate_monthly_invoices", AT, "--dry-run")

    assert status == 0
    assert out.splitlines() == [
        "EGAC-2026-00001: Zoë Hart, Junior running (monthly). £42.00 (net £42.00, tax £0.00) for "
        "Junior running, 3 December 2026 to 2 January 2027; issued 2026-11-28, due 2026-12-03; "
        "email to zoe@families.example",
        "    1 × 42.00 = 42.00, tax 0.00 (0 %): Junior running, 3 December 2026 to 2 January 2027",
        "Dry run, nothing was written. It would be: 1 invoice (£42.00), 0 periods waived, "
        "0 left for later, 0 could not be billed.",
    ]
    assert JobRun.objects.get().dry_run is True


def test_15_a_dry_run_prints_why_not() -> None:
    a_booking(price=None)
    a_booking(access_status=Booking.Access.LOCKED)
    a_booking(access_status=Booking.Access.LOCKED, billed_through_on=date(2026, 11, 2))

    status, out, _ = run("generate_monthly_invoices", AT, "--dry-run")

    lines = out.splitlines()
    who = "Zoë Hart, Junior running"
    assert status == 1
    assert lines[0].startswith(f"Could not be billed: {who}")
    assert lines[1].startswith(f"Not billed now: {who}")
    assert lines[2].startswith(f"Waived: {who}")


def test_the_classes_of_yesterday_are_billed_by_their_own_command() -> None:
    a_class(a_booking(per_class=True), ON - timedelta(days=1))
    a_class(BookingFactory.create(per_class=True), ON - timedelta(days=1), attendance="expected")

    status, out, _ = run("generate_t5_invoices", AT)

    assert status == 0
    assert out == (
        "1 invoice (£42.00), 1 booking without a full register, 0 could not be billed.\n"
    )


@pytest.mark.parametrize("command", ["generate_monthly_invoices", "generate_t5_invoices"])
def test_prints_the_result_that_is_also_the_runs(command: str) -> None:
    a_booking()

    _, out, _ = run(command, AT, "--json")

    assert json.loads(out) == JobRun.objects.get().result
    assert json.loads(out)["execution_date"] == "2026-11-28"


@pytest.mark.parametrize("command", ["generate_monthly_invoices", "generate_t5_invoices"])
def test_16_without_a_date_it_runs_for_todays_business_date(command: str) -> None:
    _, out, _ = run(command, "--json")

    today = timezone.localdate()
    assert JobRun.objects.get().business_on == today
    assert json.loads(out)["execution_date"] == today.isoformat()


def test_a_second_command_beside_an_open_run_does_nothing() -> None:
    a_booking()
    JobRun.objects.create(
        job="generate_monthly_invoices",
        exclusive=True,
        trigger="cron",
        business_on=ON,
        lease_ends_at=timezone.now() + timedelta(minutes=1),
    )

    status, _, err = run("generate_monthly_invoices", AT)

    assert status == 0
    assert "is running already" in err
    assert Invoice.objects.count() == 0


def test_without_an_address_of_its_own_it_is_exit_2_and_bills_nothing(settings: Settings) -> None:
    settings.OPS_BASE_URL = ""
    a_booking()

    status, _, err = run("generate_monthly_invoices", AT)

    assert (status, Invoice.objects.count()) == (2, 0)
    assert "Write OPS_BASE_URL=https://" in err


def test_on_a_terminal_it_shows_how_far_it_is() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    a_booking()
    told = Terminal()

    call_command("generate_monthly_invoices", AT, stdout=StringIO(), stderr=told)

    assert told.getvalue() == "\r1 of 1 bookings\n"
