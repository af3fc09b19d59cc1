"""Rows in doubt, and the delivery events that end it: in any order, early, late or twice."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import hypothesis
import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent, events_of
from egac.events import delivery_state, receive
from invites.models import Invite
from notifications.models import Notification
from notifications.passes import run_pass
from tests.egac.threads import side_by_side
from tests.egac.told import KINDS, audit, by_resend, by_whatsapp, end_of, fresh, in_doubt, uncertain
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer

# Rows in doubt

ROWS: dict[str, Callable[[], Any]] = {
    "invite": lambda: InviteFactory(),
    "e-mail": lambda: queue(email()),
    "WhatsApp": lambda: queue(whatsapp()),
}
each_row = pytest.mark.parametrize("make", ROWS.values(), ids=ROWS)
each_doubt = pytest.mark.parametrize("doubt", [uncertain, in_doubt])


@pytest.mark.django_db
@each_row
@each_doubt
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("failed", "read")])
def test_news_of_a_message_ends_the_doubt_about_its_row(make: Any, doubt: Any, kind: str) -> None:
    row = doubt(make())

    receive(told := by_resend(kind, row))

    now = fresh(row)
    assert end_of(row) == (row.DONE, None, "re_1")
    assert (now.sent_at, now.in_doubt_since, now.last_error) == (told.occurred_at, None, None)
    assert (now.lease_number, now.attempts, now.repeats) == (4, 1, 0)
    assert DeliveryEvent.objects.get().settled_generation == 1


@pytest.mark.django_db
@each_row
@each_doubt
def test_a_failure_that_was_told_fails_the_row_in_doubt(make: Any, doubt: Any) -> None:
    row = doubt(make())

    receive(by_whatsapp("failed", row))

    now = fresh(row)
    assert end_of(row) == (row.Status.FAILED, "permanent", "wamid.1")
    assert ": 131026 Message undeliverable." in str(now.last_error)
    assert (now.sent_at, now.in_doubt_since) == (None, None)


OTHER_STATES: list[dict[str, Any]] = [
    {"status": "pending"},
    {"status": "cancelled", "reason": "by_staff", "in_doubt_since": Now()},
    {"status": "failed", "reason": "permanent"},
    {"status": "failed", "reason": "exhausted"},
    {"status": "failed"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [*OTHER_STATES, {"status": "accepted"}, {"status": "sent"}])
@pytest.mark.parametrize("status", ["sent", "failed", "read"])
def test_a_row_that_is_in_no_doubt_stays_as_it_is(fields: dict[str, Any], status: str) -> None:
    row = InviteFactory(**fields)
    before = Invite.objects.values().get()

    receive(by_whatsapp(status, row))

    assert Invite.objects.values().get() == before
    assert DeliveryEvent.objects.filter(waits_for_row=False, settled_generation=None).exists()


@pytest.mark.django_db
def test_an_invite_that_was_accepted_stays_accepted() -> None:
    row = uncertain(InviteFactory())
    receive(by_resend("sent", row))
    Invite.objects.update(status=Invite.Status.ACCEPTED, accepted_at=Now())

    receive(by_resend("failed", row))
    receive(by_resend("bounced", row))

    assert fresh(row).status == Invite.Status.ACCEPTED


@pytest.mark.django_db
def test_news_of_a_row_that_is_gone_is_kept() -> None:
    row = queue(email())
    told = by_resend("sent", row)
    row.delete()

    receive(told)

    assert DeliveryEvent.objects.get().source_id == told.source_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statuses", "is_sent"),
    [(("sent", "failed"), False), (("sent", "failed", "read"), True), (("read", "failed"), True)],
)
@each_row
def test_invariant_21_events_in_any_order_settle_a_row_alike(
    make: Any, statuses: tuple[str, ...], is_sent: bool
) -> None:
    ends = set()
    for order in permutations(statuses):
        row = uncertain(make())
        told = {
            status: by_whatsapp(status, row, message=f"wamid.{row.pk}", after=place)
            for place, status in enumerate(statuses)
        }
        for status in order:
            receive(told[status])
        now = fresh(row)
        assert now.sent_at == (told[statuses[0]].occurred_at if is_sent else None)
        ends.add((now.status, now.reason, str(now.last_error)))

    assert [status for status, _, _ in ends] == [row.DONE if is_sent else row.Status.FAILED]


class AnyOrder(TestCase):
    @hypothesis.settings(deadline=None, max_examples=40)
    @given(st.data())
    def test_invariant_21_any_events_in_any_order_settle_a_row_alike(
        self, data: st.DataObject
    ) -> None:
        kinds = data.draw(st.lists(st.sampled_from(KINDS[:7]), min_size=1, max_size=5))
        orders = [data.draw(st.permutations(range(len(kinds)))) for _ in range(2)]
        began = timezone.now()

        ends = []
        for order in orders:
            row = in_doubt(queue(email()))
            at = [began + timedelta(seconds=place) for place in range(len(kinds))]
            told = [by_resend(kind, row, at=at[place]) for place, kind in enumerate(kinds)]
            for place in order:
                receive(told[place])
            now = fresh(row)
            state = delivery_state(events_of("notifications_queue", row.pk))
            ends.append((*end_of(row), now.sent_at, now.last_error, state))

        assert ends[0] == ends[1]


# Other generations


@pytest.mark.django_db
@each_row
@each_doubt
@pytest.mark.parametrize("tell", [by_resend, by_whatsapp])
def test_news_of_an_earlier_generation_settles_no_later_one(
    make: Any, doubt: Any, tell: Any
) -> None:
    row = make()
    told = tell("sent", row)
    type(row).objects.update(generation=2)
    before = end_of(doubt(row))

    receive(told)

    assert end_of(row) == before
    assert fresh(row).in_doubt_since


def test_a_message_that_was_sent_again_names_its_own_generation(
    provider: ProviderServer, settings: Settings, transactional_db: None
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    provider.whatsapp.faults = always(Fault.hang_after_accepting(1))
    row = queue(whatsapp())
    for _ in range(2):
        run_pass(limit=1, seconds=5)
        Notification.objects.filter(pk=row.pk, generation=1).requeue()

    tags = [sent.payload["biz_opaque_callback_data"] for sent in provider.whatsapp.accepted]

    assert tags == [f"notifications_queue-{row.pk}_1", f"notifications_queue-{row.pk}_2"]


def untagged(row: Any) -> dict[str, str]:
    """Return the tag of a message from before it named the generation."""
    return {"row": row.tag.removesuffix(f"_{row.generation}")}


@pytest.mark.django_db
@each_doubt
def test_a_message_that_names_no_generation_settles_its_row(doubt: Any) -> None:
    row = doubt(InviteFactory())

    receive(by_resend("delivered", row, tags=untagged(row)))

    assert end_of(row) == (row.DONE, None, "re_1")


@pytest.mark.django_db
def test_late_news_of_a_message_sent_before_settles_no_later_one() -> None:
    row = uncertain(InviteFactory(generation=2))
    audit(row, provider_message_id="re_1", generation=1)

    receive(by_resend("opened", row, tags=untagged(row)))

    assert fresh(row).reason == "uncertain"


@pytest.mark.django_db
def test_a_message_heard_of_before_the_doubt_began_is_another() -> None:
    row, an_hour_ago = uncertain(InviteFactory(generation=2)), timezone.now() - timedelta(hours=1)
    receive(by_resend("sent", row, at=an_hour_ago, tags=untagged(row)))

    receive(by_resend("opened", row, tags=untagged(row)))

    assert fresh(row).reason == "uncertain"


@pytest.mark.django_db
def test_staff_may_send_again_what_an_event_settled() -> None:
    row = uncertain(InviteFactory())
    receive(by_resend("failed", row))
    Invite.objects.filter(pk=row.pk).requeue()
    Invite.objects.update(status=Invite.Status.FAILED, reason="permanent")

    receive(by_resend("delivered", row))

    assert end_of(row) == (Invite.Status.FAILED, "permanent", "re_1")


@pytest.mark.django_db(transaction=True)
def test_an_event_waits_for_one_of_the_same_row_that_is_being_applied() -> None:
    row = uncertain(queue(whatsapp()))
    failed, sent = by_whatsapp("failed", row), by_whatsapp("sent", row)

    def tell(number: int) -> None:
        with transaction.atomic():
            if number:
                time.sleep(0.2)  # the other one has not committed yet
            receive([failed, sent][number])
            if not number:
                time.sleep(0.6)

    side_by_side(2, tell)

    assert end_of(row)[:2] == ("failed", "permanent")
