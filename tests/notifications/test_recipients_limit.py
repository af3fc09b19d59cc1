"""WhatsApp takes no more for one person for now: it waits, and not for ever."""

from datetime import timedelta

import pytest
from django.db.models import F

from egac.models import MessageAudit
from egac.retry import LONGEST_LIMIT
from notifications.models import Notification
from notifications.passes import run_pass
from tests.notifications.factories import queue, whatsapp
from tests.providers.server import ProviderServer
from tests.providers.whatsapp import whatsapp_error

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def limited(provider: ProviderServer) -> None:
    fault = whatsapp_error(131056, "Too many to this user.")
    provider.whatsapp.faults = lambda number, payload: fault


def refused_after(passed: timedelta) -> Notification:
    """Let a message be refused, so much time pass, and it be refused once more."""
    row = queue(whatsapp())
    run_pass(limit=1, seconds=30)
    MessageAudit.objects.update(at=F("at") - passed)
    Notification.objects.update(due_at=None)
    run_pass(limit=1, seconds=30)
    row.refresh_from_db()
    return row


def test_a_limit_that_lasts_ends_the_message_with_a_sentence() -> None:
    row = refused_after(LONGEST_LIMIT)

    assert (row.status, row.reason, row.attempts) == ("failed", "exhausted", 0)
    assert row.last_error is not None
    assert "It was refused for 72 hours because this person gets too many" in row.last_error
    assert [line.error_code for line in MessageAudit.objects.all()] == ["131056", "131056"]


def test_until_then_it_is_tried_again_at_no_cost() -> None:
    row = refused_after(LONGEST_LIMIT - timedelta(minutes=10))

    assert (row.status, row.attempts) == ("pending", 0)


def test_a_retry_by_staff_begins_the_hours_anew() -> None:
    row = refused_after(LONGEST_LIMIT)

    Notification.objects.filter(pk=row.pk).requeue()
    run_pass(limit=1, seconds=30)

    row.refresh_from_db()
    assert row.status == "pending"
