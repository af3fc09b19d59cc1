"""The page of one row asks as often however much belongs to the row."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from egac.models import DeliveryEvent, MessageAudit
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import BookingFactory, EnrolmentFactory, class_in
from tests.egac.test_figures import attempt
from tests.invites.factories import InviteFactory
from tests.one_of_each import one_of_each
from tests.staff import admin_urls, login_superuser

pytestmark = pytest.mark.django_db

MANY = 12


def grow(objects: dict[str, Any], number: int) -> None:
    """Give every row one more of each thing that its page shows."""
    customer, package = objects["bookings_customer"], objects["bookings_classpackage"]
    booking = BookingFactory.create(customer=customer, package=package)
    InvoiceFactory(booking=booking)
    InvoiceFactory(booking=objects["bookings_booking"])
    InviteFactory(enquiry=objects["invites_enquiry"], status="failed")
    session = class_in(-number - 1, package=package, instructor=objects["bookings_instructor"])
    EnrolmentFactory.create(booking=objects["bookings_booking"], session=session)
    EnrolmentFactory.create(booking=booking, session=objects["bookings_classsession"])
    booking.events.create(kind="confirmed", actor="sam")
    booking.billing_problems.create(job=f"x{number}", why="No price.")
    objects["billing_invoice"].payments.create(
        amount=1, currency="GBP", paid_on="2026-03-03", method="cash"
    )
    for name in ("invites_invite", "notifications_notification"):
        told(objects[name], number)


def told(row: Any, number: int) -> None:
    """Tell of an attempt to send a row, and of a delivery."""
    named = {"source": row._meta.db_table, "source_id": str(row.pk)}
    line: MessageAudit = attempt(timezone.now())
    line.source, line.source_id = named["source"], named["source_id"]
    line.save()
    DeliveryEvent.objects.create(
        provider="resend",
        event_id=f"{row.pk}-{number}",
        kind="delivered",
        occurred_at=timezone.now(),
        **named,
    )


def queries_of(client: Client, urls: dict[str, str]) -> dict[str, int]:
    """Return how many queries each page takes."""
    taken = {}
    for name, url in urls.items():
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        taken[name] = len(queries)
    return taken


def test_23_the_page_of_a_row_asks_as_often_for_much_as_for_little() -> None:
    root, objects = login_superuser(), one_of_each()
    urls = {
        name: url
        for name, url in admin_urls(objects).items()
        if name.endswith(("_change", "_register"))
    }
    grow(objects, 0)
    queries_of(root, urls)
    few = queries_of(root, urls)

    for number in range(1, MANY):
        grow(objects, number)

    many = queries_of(root, urls)
    assert {name: (few[name], many[name]) for name in urls if many[name] > few[name]} == {}
