"""Customers are reminded of an invoice: each step once, on its channels, while it is unpaid."""

from datetime import date, timedelta
from typing import Any

import pytest

from billing.models import Invoice, StepTaken
from billing.reminding import UNREACHABLE, invoices_to_remind, remind
from egac.days import start_of
from notifications.models import Notification
from notifications.passes import run_pass
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import AGREED_AT
from tests.egac.threads import side_by_side
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

Step = StepTaken.Step
DUE = date(2026, 12, 3)


def after(days: int) -> date:
    """Return the day so many days after the due date."""
    return DUE + timedelta(days=days)


def run(on: date) -> list[Any]:
    return remind(list(invoices_to_remind(on).values_list("pk", flat=True)), on=on)


def steps() -> list[tuple[str, str]]:
    return list(StepTaken.objects.order_by("pk").values_list("step", "channel"))


def queued() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("key", flat=True))


def agreed(**fields: Any) -> Invoice:
    """Return an invoice of a customer who also agreed to WhatsApp."""
    return InvoiceFactory.create(**{"due_on": DUE, "booking__customer__agreed": True, **fields})


@pytest.mark.parametrize(
    ("days", "step", "type", "channels"),
    [
        (-3, Step.REMINDER, "payment_reminder", ["email", "whatsapp"]),
        (-1, Step.FINAL_REMINDER, "payment_reminder", ["email", "whatsapp"]),
        (1, Step.OVERDUE, "payment_overdue", ["email"]),
    ],
)
def test_a_step_is_queued_on_the_channels_of_the_table(
    days: int, step: Step, type: str, channels: list[str]
) -> None:
    invoice = agreed()

    run(after(days))

    assert steps() == [(step, channel) for channel in channels]
    assert queued() == [f"{type}/{invoice.number}/{step}/{channel}" for channel in channels]
    assert set(StepTaken.objects.values_list("taken_on", flat=True)) == {after(days)}


@pytest.mark.parametrize("days", [-30, -4])
def test_nothing_is_queued_before_the_first_step(days: int) -> None:
    agreed()

    assert run(after(days)) == []


def test_day_after_day_each_step_comes_once() -> None:
    agreed()

    for days in range(-6, 15):
        run(after(days))
        run(after(days))

    assert steps() == [
        (Step.REMINDER, "email"),
        (Step.REMINDER, "whatsapp"),
        (Step.FINAL_REMINDER, "email"),
        (Step.FINAL_REMINDER, "whatsapp"),
        (Step.OVERDUE, "email"),
    ]
    assert len(queued()) == 5


@pytest.mark.parametrize(("days", "step"), [(0, Step.FINAL_REMINDER), (20, Step.OVERDUE)])
def test_missed_days_send_the_latest_step_only(days: int, step: Step) -> None:
    InvoiceFactory.create(due_on=DUE)

    run(after(days))

    assert steps() == [(step, "email")]


def test_the_two_reminders_say_which_they_are() -> None:
    InvoiceFactory.create(due_on=DUE)

    run(after(-3))
    run(after(-1))

    contexts = [row.payload["context"] for row in Notification.objects.order_by("pk")]
    assert [context["reminder"] for context in contexts] == ["Reminder", "Final reminder"]


@pytest.mark.parametrize("fields", [{"is_paid": True}, {"status": "cancelled"}, {"net": 0}])
def test_nobody_is_reminded_of_what_is_not_to_be_paid(fields: dict[str, Any]) -> None:
    InvoiceFactory.create(due_on=DUE, **fields)

    assert run(after(2)) == []


def test_a_number_that_was_added_later_does_not_bring_a_step_again() -> None:
    invoice = InvoiceFactory.create(due_on=DUE)
    run(after(-3))
    customer = invoice.customer
    customer.whatsapp_opted_in_at = AGREED_AT
    customer.save(update_fields=["whatsapp_opted_in_at"])

    run(after(-2))

    assert steps() == [(Step.REMINDER, "email")]


def test_who_cannot_be_reached_is_reported_and_reminded_once_there_is_an_address() -> None:
    invoice = InvoiceFactory.create(due_on=DUE, booking__customer__email="no address")

    (reminded,) = run(after(-3))

    assert (reminded.problem, reminded.messages) == (UNREACHABLE, ())
    assert steps() == []
    customer = invoice.customer
    customer.email = "zoe@families.example"
    customer.save(update_fields=["email"])
    run(after(-2))
    assert steps() == [(Step.REMINDER, "email")]


def test_who_has_whatsapp_only_gets_no_overdue_notice_and_the_run_says_so() -> None:
    agreed(booking__customer__email="")

    (reminded,) = run(after(1))

    assert reminded.problem == ""
    assert reminded.why == (
        "This step goes by email only, and the customer has none that can be used."
    )
    assert steps() == []


def test_a_reminder_is_of_use_until_the_next_steps_day() -> None:
    InvoiceFactory.create(due_on=DUE)

    for days in (-3, -1, 1):
        run(after(days))

    until = list(Notification.objects.order_by("pk").values_list("expires_at", flat=True))
    assert until == [start_of(after(-1)), start_of(after(1)), None]


def test_steps_and_messages_live_and_die_together() -> None:
    InvoiceFactory.create(due_on=DUE)
    InvoiceFactory.create(due_on=DUE, booking__customer__name="")

    with pytest.raises(Exception, match="lacks name"):
        run(after(-3))

    assert steps() == []
    assert queued() == []


@pytest.mark.django_db(transaction=True)
def test_eight_runs_at_once_take_each_step_once() -> None:
    for _ in range(5):
        agreed()

    side_by_side(8, lambda _: run(after(-3)))

    assert len(steps()) == 10
    assert len(queued()) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "ending", [{"status": "paid", "paid": 42, "paid_on": DUE}, {"status": "cancelled"}]
)
def test_an_invoice_that_ended_between_queueing_and_sending_sends_nothing(
    provider: ProviderServer, ending: dict[str, Any]
) -> None:
    agreed(due_on=date(2036, 12, 3))
    still = agreed(due_on=date(2036, 12, 3), booking__customer__email="zoe@families.example")
    run(date(2036, 11, 30))
    Invoice.objects.exclude(pk=still.pk).update(**ending)

    run_pass(limit=10, seconds=20)

    sent = [message.payload["to"] for message in provider.resend.accepted]
    assert sent == [["zoe@families.example"]]
    ended = Notification.objects.filter(status="cancelled")
    assert {row.reason for row in ended} == {"irrelevant"}
    assert ended.count() == 2
