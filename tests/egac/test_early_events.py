"""Delivery events that come before our own record of the call: none is lost or breaks a lease."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent
from egac.drain import Drain
from egac.events import receive, settle_waiting
from egac.orphans import settle_orphans
from egac.providers.resend import EMAIL
from egac.providers.whatsapp import WHATSAPP
from invites.models import Invite
from notifications.models import EmailBatch, Notification
from tests.egac.told import audit, by_resend, by_whatsapp, end_of, fresh, uncertain
from tests.invites.factories import InviteFactory, make_invites
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.faults import Fault
from tests.providers.server import ProviderServer

LEASE = timedelta(seconds=30)


def claimed(model: Any) -> Any:
    [row] = model.objects.claim(1, owner="me", lease=LEASE)
    row.rendered = "{}"
    model.objects.all().start([row])
    return row


def kill_the_sender(model: Any, sender: Any) -> None:
    model.objects.update(lease_ends_at=Now() - LEASE)
    settle_orphans(model.objects.all(), sender, lease=LEASE)


@pytest.mark.django_db
def test_a_row_that_is_being_sent_is_left_alone() -> None:
    InviteFactory()
    row = claimed(Invite)
    before = Invite.objects.values().get()

    receive(by_resend("sent", row))

    assert settle_waiting(Invite) == 0
    assert Invite.objects.values().get() == before
    assert DeliveryEvent.objects.get().waits_for_row


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "end"), [("delivered", ("completed", None)), ("failed", ("failed", "permanent"))]
)
def test_news_that_came_during_the_call_settles_the_row_after_it(
    status: str, end: tuple[str, Any]
) -> None:
    queue(whatsapp())
    row = claimed(Notification)
    receive(by_whatsapp(status, row))

    kill_the_sender(Notification, WHATSAPP)
    assert end_of(row)[:2] == ("failed", "uncertain")

    assert settle_waiting(Notification) == 1
    assert end_of(row) == (*end, "wamid.1")
    assert not DeliveryEvent.objects.get().waits_for_row


@pytest.mark.django_db
def test_settles_the_orphan_of_an_email_before_its_repeat() -> None:
    InviteFactory()
    row = claimed(Invite)
    receive(by_resend("delivered", row))
    kill_the_sender(Invite, EMAIL)

    settle_waiting(Invite)

    assert end_of(row) == (Invite.Status.SENT, None, "re_1")
    assert not fresh(row).orphaned
    assert Invite.objects.claim(1, owner="me", lease=LEASE) == []


@pytest.mark.django_db
def test_news_that_came_during_a_call_with_an_answer_has_nothing_to_settle(
    django_assert_num_queries: Any,
) -> None:
    row = InviteFactory(status=Invite.Status.PROCESSING)
    receive(by_resend("delivered", row))
    Invite.objects.update(status=Invite.Status.SENT, provider_message_id="re_1")
    audit(row, provider_message_id="re_1")

    assert settle_waiting(Invite) == 0
    assert not DeliveryEvent.objects.filter(waits_for_row=True).exists()
    with django_assert_num_queries(1):
        settle_waiting(Invite)


@pytest.mark.django_db
def test_each_table_settles_its_own_rows() -> None:
    [invite], row = make_invites(1, status="processing"), queue(email(), status="processing")
    rows: list[Any] = [invite, row]
    for each in rows:
        receive(by_resend("delivered", each, message=f"re_{each.pk}"))
        uncertain(each)

    assert (settle_waiting(Invite), settle_waiting(Notification)) == (1, 1)
    assert (fresh(invite).status, fresh(row).status) == ("sent", "completed")


@pytest.mark.django_db
def test_the_frozen_row_of_an_open_batch_is_its_batchs_to_end() -> None:
    batch = EmailBatch.objects.create(row_ids=[], in_doubt_since=Now())
    row = queue(email(), status="processing", batch=batch, in_doubt_since=Now())

    receive(by_resend("delivered", row))
    settle_waiting(Notification)
    assert end_of(row) == ("processing", None, None)

    Notification.objects.update(status="failed", reason="uncertain")
    settle_waiting(Notification)
    assert end_of(row) == ("completed", None, "re_1")


@pytest.mark.django_db(transaction=True)
def test_news_that_overtakes_a_call_without_an_answer_settles_its_row(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    invite = InviteFactory()

    def tell_and_hang(_number: int, _payload: Any) -> Fault:
        receive(by_resend("sent", invite))
        connection.close()
        return Fault.hang_after_accepting(1)

    provider.resend.faults = tell_and_hang
    Drain(Invite.objects.all(), EMAIL).run()
    assert fresh(invite).in_doubt_since is not None

    assert settle_waiting(Invite) == 1
    assert end_of(invite) == (Invite.Status.SENT, None, "re_1")
