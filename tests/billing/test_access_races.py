"""A payment beside a run of the mover: whoever comes first, who has paid is not locked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.access import bookings_to_look_at, move_bookings
from billing.models import Invoice, Payment
from billing.services import Received, record_payment
from bookings.models import Booking, BookingEvent
from notifications.models import Notification
from tests.billing.factories import InvoiceFactory
from tests.egac.threads import in_a_thread, side_by_side, someone_waits, uncommitted
from tests.providers.client import eventually

pytestmark = pytest.mark.django_db(transaction=True)

Access = Booking.Access


def late() -> Invoice:
    return InvoiceFactory.create(due_on=timezone.localdate() - timedelta(days=20))


def run_mover() -> list[str]:
    today = timezone.localdate()
    moved = move_bookings(bookings_to_look_at(today), on=today, actor="test")
    return [str(each.change.new) for each in moved]


def pay(invoice: Invoice) -> None:
    today = timezone.localdate()
    received = Received(invoice.total, invoice.currency, today, Payment.Method.CASH)
    record_payment(invoice, received, by="Ann")


def test_a_payment_that_waited_for_the_run_opens_the_booking_again() -> None:
    invoice = late()

    with ThreadPoolExecutor(1) as pool:
        with uncommitted(run_mover):
            paid = pool.submit(in_a_thread(lambda: pay(invoice)))
            assert eventually(someone_waits, seconds=20)
        paid.result(20)

    assert Booking.objects.get().access_status == Access.ACTIVE
    moves = BookingEvent.objects.order_by("pk").values_list("new", flat=True)
    assert list(moves) == [Access.LOCKED, Access.ACTIVE]


def test_a_run_that_waited_for_a_payment_sees_it_and_locks_nobody() -> None:
    invoice = late()

    with ThreadPoolExecutor(1) as pool:
        with uncommitted(lambda: pay(invoice)):
            run = pool.submit(in_a_thread(run_mover))
            assert eventually(someone_waits, seconds=20)
        moved = run.result(20)

    assert moved == []
    assert Booking.objects.get().access_status == Access.ACTIVE
    assert not Notification.objects.filter(type="access_locked").exists()


def test_payments_and_runs_side_by_side_never_lock_who_has_paid() -> None:
    invoices = [late() for _ in range(6)]
    works: list[Callable[[], object]] = [
        *(lambda invoice=invoice: pay(invoice) for invoice in invoices[:4]),
        *[run_mover] * 4,
    ]

    side_by_side(len(works), lambda number: works[number]())

    stand = dict(Booking.objects.values_list("pk", "access_status"))
    paid, unpaid = invoices[:4], invoices[4:]
    assert {stand[invoice.booking_id] for invoice in paid} == {Access.ACTIVE}
    assert {stand[invoice.booking_id] for invoice in unpaid} == {Access.LOCKED}


def test_eight_runs_at_once_move_each_booking_once() -> None:
    for _ in range(5):
        late()

    moved = side_by_side(8, lambda _: run_mover())

    assert sum(moved, []) == [Access.LOCKED] * 5
    assert BookingEvent.objects.count() == 5
    assert Notification.objects.filter(type="access_locked").count() == 5
