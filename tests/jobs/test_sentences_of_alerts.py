"""Whatever is wrong is told with a number: how many wait, failed, or how often in a row."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from egac import channels
from egac.moment import Moment
from egac.providers import Cause, ProviderError
from jobs.fixes import FIXES
from jobs.models import JobRun
from jobs.registry import WATCH_JOB
from jobs.watchers import BLIND, findings
from notifications.models import Notification, Worker
from tests.bookings.factories import BookingFactory
from tests.invites.factories import InviteFactory
from tests.jobs.runs import ran
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

COUNT = re.compile(
    r"\b[1-9]\d* (messages? waits?|invites?|queued messages?|WhatsApp messages?|bookings?|times?)\b"
)


def a_failed_run(job: str) -> None:
    ran(timezone.now(), job, status=JobRun.Status.FAILED, error="The price is gone.")


def a_closed_channel() -> None:
    queue(email())
    channels.named("email")
    channels.note("email", [ProviderError("api: 401", cause=Cause.CREDENTIALS)])


def a_message_that_waits() -> None:
    Worker.objects.create(name="host:1", kind=Worker.Kind.LOOP)
    queue(whatsapp())
    Notification.objects.update(updated_at=Now() - timedelta(minutes=16))


def a_booking_without_a_price() -> None:
    BookingFactory.create().billing_problems.create(job="generate_t5_invoices", why="No price.")


TROUBLES: dict[str, Callable[[], object]] = {
    "job": lambda: a_failed_run("generate_t5_invoices"),
    BLIND: lambda: a_failed_run(WATCH_JOB),
    "channel_down": a_closed_channel,
    "failed_invites": lambda: InviteFactory(status="failed", reason="permanent"),
    "failed_notifications": lambda: queue(email(), status="failed", reason="permanent"),
    "due_too_old": a_message_that_waits,
    "billing_problems": a_booking_without_a_price,
}


@pytest.mark.parametrize("kind", TROUBLES)
def test_each_trouble_is_told_with_a_count(kind: str, provider: ProviderServer) -> None:
    TROUBLES[kind]()

    [finding] = findings(Moment(datetime.now(UTC))).values()

    assert finding.cause.partition(":")[0] == kind
    assert COUNT.search(finding.sentence), finding.sentence


def test_no_kind_is_left_out() -> None:
    assert set(TROUBLES) == set(FIXES)
