"""Two machines' crons fire every job at the same second, again and again: all is done once.

The jobs are those of the registry, so that a new one is among them.
"""

from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands
from django.utils import timezone

from billing.models import Invoice, InvoiceLine
from bookings.models import Enrolment
from invites.models import Invite
from jobs.models import JobRun
from jobs.registry import JOBS
from notifications.models import Notification
from tests.bookings.factories import BookingFactory, ClassSessionFactory, EnrolmentFactory
from tests.egac.threads import side_by_side
from tests.end_to_end.processes import environment, running
from tests.invites.factories import make_invites
from tests.notifications.factories import queue_emails, queue_whatsapps
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

MACHINES = 2
PROCESSES, THREADS = 3, 50  # how often all fire together
SECONDS = 180  # for eighteen processes that begin together on a busy machine
DAY = timedelta(days=1)
FIRED = [job for job in JOBS if job in get_commands()]


@pytest.fixture
def dates(provider: ProviderServer) -> list[date]:
    """Give every job something to do on each of the dates, and return them."""
    first = timezone.localdate()
    dates = [first + number * DAY for number in range(THREADS)]
    make_invites(20)
    queue_emails(20)
    queue_whatsapps(20)
    BookingFactory.create_batch(3, billing_anchor_on=first, billed_through_on=first - DAY)
    for booking in BookingFactory.create_batch(2, per_class=True, price=Decimal("9.50")):
        for on in dates:
            attend(booking, on - DAY)
    in_two_hours = timezone.now() + timedelta(hours=2)
    for session in ClassSessionFactory.create_batch(3, online=True, starts_at=in_two_hours):
        EnrolmentFactory.create(session=session)
    return dates


def attend(booking: Any, on: date) -> None:
    EnrolmentFactory.create(
        booking=booking,
        attendance=Enrolment.Attendance.ATTENDED,
        session__starts_at=datetime.combine(on, time(18, 30), tzinfo=UTC),
    )


def arguments(job: str, on: date) -> list[str]:
    dated = ["--date", on.isoformat()] if JOBS[job].is_dated else []
    return [job, "--trigger", "cron", *dated]


def fire(job: str, on: date) -> str:
    """Run the job as cron does, in this process; return what it complained of."""
    complaints = StringIO()
    call_command(*arguments(job, on), stdout=StringIO(), stderr=complaints)
    return complaints.getvalue().strip()


def fire_all(on: date) -> list[str]:
    """Run every job once for each machine, all at the same moment."""
    crons = FIRED * MACHINES
    return side_by_side(len(crons), lambda number: fire(crons[number], on))


def kept() -> dict[str, set[Any]]:
    """Return the keys of every row of the business and of every message."""
    models = [Notification, Invite]
    for label in ("bookings", "billing"):
        models += apps.get_app_config(label).get_models()
    return {
        model._meta.db_table: set(model._default_manager.values_list("pk", flat=True))
        for model in models
        if model._meta.managed
    }


def assert_all_was_done_once(provider: ProviderServer, dates: list[date]) -> None:
    assert set(JobRun.objects.values_list("status", flat=True)) == {JobRun.Status.SUCCEEDED}
    done = set(JobRun.objects.values_list("job", "business_on"))
    assert {(job, on) for job in FIRED if JOBS[job].is_dated for on in dates} <= done
    before = kept()
    for job in FIRED:  # once more, alone: it finds nothing to do but to send what was queued last
        assert fire(job, dates[-1]) == ""
    assert kept() == before
    assert_each_row_was_done_once(provider, dates[-1])


def assert_each_row_was_done_once(provider: ProviderServer, last: date) -> None:
    emails = [str(each.payload["tags"]) for each in provider.resend.accepted]
    whatsapps = [each.payload["biz_opaque_callback_data"] for each in provider.whatsapp.accepted]
    sent = Notification.objects.filter(status=Notification.Status.COMPLETED)
    assert len(set(emails + whatsapps)) == len(emails + whatsapps)
    assert len(emails + whatsapps) == sent.count() + Invite.objects.count()
    assert not Notification.objects.filter(status__in=["pending", "processing", "failed"]).exists()
    if "schedule_create_zoom" in FIRED:
        assert len(provider.zoom.meetings) == 3
    if "generate_t5_invoices" in FIRED:
        billed = InvoiceLine.objects.exclude(enrolment=None).values_list("enrolment", flat=True)
        attended = Enrolment.objects.filter(
            attendance=Enrolment.Attendance.ATTENDED, session__starts_at__date__lt=last
        )
        assert sorted(billed) == sorted(attended.values_list("pk", flat=True))
    if "generate_monthly_invoices" in FIRED:
        periods = Invoice.objects.filter(kind=Invoice.Kind.MONTHLY)
        assert periods.count() == 3 * periods.values("period_starts_on").distinct().count() > 0


def test_as_threads_each_business_date_is_done_once(
    provider: ProviderServer, dates: list[date]
) -> None:
    complaints = {words for on in dates for words in fire_all(on)}

    assert all("running already" in words for words in complaints - {""})
    assert_all_was_done_once(provider, dates)


def test_as_processes_each_business_date_is_done_once(
    provider: ProviderServer, dates: list[date]
) -> None:
    env = environment(
        provider,
        WHATSAPP_API_URL=f"{provider.url}/v23.0",
        ZOOM_API_URL=f"{provider.url}/v2",
        ZOOM_OAUTH_URL=f"{provider.url}/oauth/token",
        WORKER_CONCURRENCY="2",
    )
    for on in dates[:PROCESSES]:
        cron = [" ".join(arguments(job, on)) for job in FIRED]
        with ExitStack() as stack:
            machines = [
                stack.enter_context(running("-m", "tests.end_to_end.machine", *cron, env=env))
                for _ in range(MACHINES)
            ]
            for machine in machines:
                machine.wait(SECONDS)

    assert_all_was_done_once(provider, dates[:PROCESSES])
