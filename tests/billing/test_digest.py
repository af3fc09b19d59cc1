"""One e-mail a day tells staff what to look at, where there is something."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from billing.models import BillingProblem
from billing.services import run_escalation_orchestration
from jobs.registry import JOBS
from notifications.models import Notification
from tests.billing.escalating import TODAY, command, due_in, orchestrate
from tests.bookings.factories import BookingFactory
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(settings: Settings) -> str:
    settings.STAFF_ALERT_EMAILS = ["office@club.example"]
    return "office@club.example"


def digest() -> dict[str, str]:
    row = Notification.objects.get(key__startswith="staff_alert/digest/")
    return row.payload["context"]


def test_staff_hear_of_everything_that_waits_for_them(office: str) -> None:
    InviteFactory.create_batch(2, status="failed", reason="permanent")
    queue(email("amelia@families.example"), status="failed", reason="permanent")
    queue(email("bea@families.example"), created_at="2026-01-01T00:00:00Z")
    booking = BookingFactory.create(price=None, customer__name="Zoë Hart")
    BillingProblem.objects.create(
        job="generate_monthly_invoices", booking=booking, why="It has no price."
    )
    due_in(3, booking__customer__name="Nobody", booking__customer__email="")

    orchestrate()

    told = digest()
    assert told["headline"] == (
        "2 invites failed, 1 message failed, 1 message is stuck, 1 booking could not be billed, "
        "1 booking could not be reminded"
    )
    for words in ("Zoë Hart", "It has no price", "bea@families.example", "Nobody"):
        assert words in told["details"], words
    assert told["admin_link"].endswith("/admin/")


def test_staff_hear_of_jobs_that_are_late_but_for_this_one(office: str) -> None:
    later = datetime(2036, 12, 20, 12, 0, tzinfo=UTC)

    run_escalation_orchestration(TODAY, now=later)

    assert digest()["headline"] == f"{len(JOBS) - 1} jobs are late"
    assert "Bill yesterday's classes" in digest()["details"]


def test_no_digest_where_there_is_nothing(office: str) -> None:
    due_in(3)

    orchestrate()

    assert not Notification.objects.filter(type="staff_alert").exists()


def test_one_digest_a_day_however_often_it_runs(office: str) -> None:
    InviteFactory(status="failed", reason="permanent")

    for on in (TODAY, TODAY, TODAY + timedelta(days=1)):
        orchestrate(on, force=True)

    assert list(Notification.objects.order_by("pk").values_list("key", flat=True)) == [
        f"staff_alert/digest/2026-12-20/{office}",
        f"staff_alert/digest/2026-12-21/{office}",
    ]


def test_a_day_that_is_caught_up_late_repeats_no_digest(office: str) -> None:
    InviteFactory(status="failed", reason="permanent")
    for day in (TODAY, TODAY - timedelta(days=1)):
        command("run_escalation_orchestration", "--date", day.isoformat())

    assert Notification.objects.get().key == f"staff_alert/digest/2026-12-20/{office}"
