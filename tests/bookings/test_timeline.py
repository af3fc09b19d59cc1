"""A customer's timeline tells everything that happened, whoever knows of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from bookings.models import Customer
from bookings.services import cancel_sessions, confirm_bookings
from egac import people
from egac.console.pages import Event
from egac.models import DeliveryEvent, MessageAudit
from egac.people import Identity, Part, Told, register_part
from egac.people_in_tables import PeopleIn
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.person import messages_of
from tests.bookings.factories import (
    BookingFactory,
    ClassSessionFactory,
    CustomerFactory,
    EnrolmentFactory,
)
from tests.bookings.staff_pages import CUSTOMERS, page_of
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db

FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def alone(customer: Customer) -> Identity:
    return Identity.of([PeopleIn(Customer).entry_of(customer)])


def page(operator: Client, customer: Customer) -> str:
    return page_of(operator.get(f"{CUSTOMERS}{customer.pk}/change/"))


@pytest.mark.django_db(transaction=True)
def test_the_timeline_tells_of_bookings_classes_and_messages_with_their_attempts(
    operator: Client, provider: ProviderServer
) -> None:
    booking = BookingFactory.create(status="pending", package__name="Junior running")
    EnrolmentFactory.create(booking=booking, session__title="Relays", attendance="missed")
    confirm_bookings([booking.pk], now=timezone.now(), actor="sam")
    run_pass(limit=10, seconds=30)

    told = page(operator, booking.customer)

    assert "Junior running (monthly): confirmed" in told
    assert "Relays: missed" in told
    assert "Booking confirmed, by e-mail: queued" in told
    assert "Booking confirmed, by e-mail: Attempt 1: accepted by the provider" in told


def test_the_timeline_tells_what_the_provider_told_later(operator: Client) -> None:
    customer = CustomerFactory.create(email="amelia@families.example")
    row = queue(email())
    line: dict[str, Any] = {"source": "notifications_queue", "source_id": str(row.pk)}
    MessageAudit.objects.create(
        **line,
        generation=1,
        attempt=1,
        counted=True,
        channel="email",
        recipient=customer.email,
        provider="resend",
        provider_message_id="re_7",
        outcome="accepted",
    )
    DeliveryEvent.objects.create(
        provider="resend",
        event_id="msg_1",
        provider_message_id="re_7",
        kind="bounced",
        occurred_at=timezone.now(),
        detail="The mailbox is full.",
    )

    told = page(operator, customer)

    assert "Booking confirmed, by e-mail: bounced" in told
    assert "The mailbox is full." in told


@pytest.mark.parametrize("to", ["+447700900123", "07700 900123"])
def test_a_message_to_the_number_however_written_is_theirs(operator: Client, to: str) -> None:
    customer = CustomerFactory.create(phone="07700 900123")
    queue(whatsapp(to), status="cancelled", reason="irrelevant", last_error="It lost its point.")

    told = page(operator, customer)

    assert "Booking confirmed, by WhatsApp: not sent" in told
    assert "It lost its point." in told


def test_who_shares_an_address_has_their_own_messages() -> None:
    mother, child = (CustomerFactory.create(email="harts@families.example") for _ in range(2))
    place = EnrolmentFactory.create(
        booking__customer=child,
        session=ClassSessionFactory.create(starts_at=timezone.now() + timedelta(days=1)),
    )
    cancel_sessions([place.session_id], because="Ice.", actor="sam")
    queue(email("Harts@families.example"))

    told = {each: messages_of(alone(each), timezone.now()) for each in (mother, child)}

    assert {each: len(of.events) for each, of in told.items()} == {mother: 1, child: 2}


def test_messages_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = Notification.objects.to_any_of(["amelia@families.example"])
        plan = rows.explain()

    assert "queue_by_recipient" in plan


def test_an_app_above_adds_what_it_knows(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PARTS", [])
    at = datetime.fromisoformat("2026-11-24T10:00:00+00:00")

    def invoices(person: Identity, now: datetime) -> Told:
        what = f"EGAC-2026-00042 issued to {person.name}"
        return Told([Event(at, what, "good", url="/admin/")])

    register_part(Part("invoices", "billing.view_invoice", invoices))
    customer = CustomerFactory.create(name="Zoë Hart")

    assert '<a href="/admin/">EGAC-2026-00042 issued to Zoë Hart</a>' in page(operator, customer)
