"""Invariant 15 for the jobs about unpaid invoices: what a dry run tells is what the next writes."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from billing import batches
from billing.models import BillingProblem, StepTaken
from billing.services import escalate_overdue_bookings, run_escalation_orchestration
from bookings.models import Booking, BookingEvent
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.billing.test_dry_run import everything_stored
from tests.bookings.factories import BookingFactory
from tests.invites.factories import InviteFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 12, 20)
Access = Booking.Access
Row = dict[str, Any]


def orchestrate(on: date, **more: Any) -> Row:
    return run_escalation_orchestration(on, now=timezone.now(), **more)


JOBS: list[Callable[..., Row]] = [escalate_overdue_bookings, orchestrate]


@pytest.fixture
def club(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invoices of every age, of customers who can and cannot be told, and something for staff."""
    settings.STAFF_ALERT_EMAILS = ["office@club.example", "chair@club.example"]
    monkeypatch.setattr(batches, "BATCH", 4)
    for days in range(-14, 5):
        InvoiceFactory.create(
            due_on=TODAY + timedelta(days=days), booking__customer__agreed=days % 2 == 0
        )
    InvoiceFactory.create(due_on=TODAY, booking__customer__email="")
    InvoiceFactory.create(due_on=TODAY - timedelta(days=12), booking__customer__name=" ")
    for access in (Access.GRACE, Access.LOCKED):
        BookingFactory.create(access_status=access)
    InviteFactory(status="failed", reason="permanent")
    BillingProblem.objects.create(
        job="generate_monthly_invoices", booking=BookingFactory.create(), why="It has no price."
    )


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("job", JOBS)
def test_15_a_dry_run_changes_no_row(job: Callable[..., Row]) -> None:
    before = everything_stored()

    job(TODAY, dry_run=True)

    assert everything_stored() == before


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("job", JOBS)
def test_15_a_dry_run_tells_the_result_of_the_next_run(job: Callable[..., Row]) -> None:
    told = job(TODAY, dry_run=True)

    written = job(TODAY)

    assert {**told, "timestamp": ""} == {**written, "dry_run": True, "timestamp": ""}
    assert len(told["results"]) > 8


def messages(**which: Any) -> list[Row]:
    """Return queued messages as a result tells them."""
    return [
        {
            "type": row.type,
            "channel": row.payload["channel"],
            "to": row.payload["to"],
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        }
        for row in Notification.objects.filter(**which).order_by("pk")
    ]


@pytest.mark.usefixtures("club")
def test_15_the_moves_that_are_told_are_those_of_the_history_and_the_queue() -> None:
    told = escalate_overdue_bookings(TODAY, dry_run=True)["results"]

    escalate_overdue_bookings(TODAY)

    moves = [row for row in told if row["ok"]]
    lines = BookingEvent.objects.filter(kind=BookingEvent.Kind.ACCESS).order_by("pk")
    in_history = [(line.booking_id, line.old, line.new, line.why) for line in lines]
    assert [(row["booking_id"], row["old"], row["new"], row["why"]) for row in moves] == in_history
    for row, line in zip(moves, lines, strict=True):
        assert row["messages"] == messages(key__contains=f"/{line.pk}/")
        assert Booking.objects.get(pk=line.booking_id).access_status == row["new"]
    assert len(moves) >= 8


@pytest.mark.usefixtures("club")
def test_15_the_reminders_that_are_told_are_the_steps_and_the_queue() -> None:
    told = orchestrate(TODAY, dry_run=True)["results"]

    orchestrate(TODAY)

    reminders = [row for row in told if row["outcome"] == "reminded"]
    for row in reminders:
        number = row["invoice_number"]
        steps = StepTaken.objects.filter(invoice__number=number, taken_on=TODAY)
        assert {(each.step, each.channel) for each in steps} == {
            (row["step"], message["channel"]) for message in row["messages"]
        }
        queued = messages(key__startswith="payment_", key__contains=f"/{number}/")
        assert row["messages"] == queued
        context = Notification.objects.filter(key__contains=f"/{number}/")[0].payload["context"]
        assert context["amount"] == row["amount"]
    told_of = {row["invoice_number"] for row in reminders}
    assert told_of == set(StepTaken.objects.values_list("invoice__number", flat=True))
    assert len(reminders) >= 15


@pytest.mark.usefixtures("club")
def test_15_the_digest_that_is_told_is_the_one_that_is_queued() -> None:
    (told,) = (row for row in orchestrate(TODAY, dry_run=True)["results"] if "headline" in row)

    orchestrate(TODAY)

    queued = Notification.objects.filter(key__startswith="staff_alert/digest/")
    assert told["messages"] == messages(key__startswith="staff_alert/digest/")
    for row in queued:
        assert row.payload["context"]["headline"] == told["headline"]
        assert row.payload["context"]["details"] == told["details"]


@pytest.mark.usefixtures("club")
def test_no_result_holds_a_link_that_opens_an_invoice() -> None:
    assert "key=" not in str(orchestrate(TODAY))
