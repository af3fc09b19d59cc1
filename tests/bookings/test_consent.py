"""WhatsApp goes to who agreed, never to a customer who did not, and to strangers with a note."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from egac.models import MessageAudit
from egac.outbox import Unsendable
from notifications import consent
from notifications.consent import agreed_among
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.services import Message, enqueue
from tests.bookings.factories import AGREED_AT, CustomerFactory
from tests.notifications.factories import queue, queue_whatsapps, whatsapp
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

NUMBER = "+447700900123"
REFUSED = "did not agree to WhatsApp"


def send() -> None:
    run_pass(limit=100, seconds=30)


def message(to: str = NUMBER) -> Message:
    return Message("payment_reminder", whatsapp(to), key=f"reminder/{to}")


# Who agreed


@pytest.mark.parametrize("written", [NUMBER, "07700 900123", "(07700) 900 123", "0044 7700 900123"])
@pytest.mark.parametrize("agreed", [True, False])
def test_a_number_is_known_however_it_is_written(written: str, agreed: bool) -> None:
    CustomerFactory.create(phone=written, agreed=agreed)

    assert agreed_among({NUMBER}) == {NUMBER: agreed}


@pytest.mark.parametrize("phone", ["", "+1 212 555 0123", "+33 6 12 90 01 23", "900123", "n/a"])
def test_a_number_that_only_ends_in_the_same_digits_is_another(phone: str) -> None:
    CustomerFactory.create(phone=phone)

    assert agreed_among({NUMBER}) == {}


def test_a_number_that_a_family_shares_is_agreed_for_by_one_of_them() -> None:
    CustomerFactory.create(phone=NUMBER)
    CustomerFactory.create(phone="07700 900123", agreed=True)
    CustomerFactory.create(phone="07700900123")

    assert agreed_among({NUMBER}) == {NUMBER: True}


def test_a_national_number_is_read_as_one_of_the_region(settings: Settings) -> None:
    settings.PHONE_REGION = "DE"
    CustomerFactory.create(phone="0151 23456789", agreed=True)

    assert agreed_among({"+4915123456789"}) == {"+4915123456789": True}


def test_numbers_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as asked:
            agreed_among({NUMBER})
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "customers_by_end_of_phone" in plan


# When it is queued


def test_a_number_of_a_customer_who_agreed_is_queued() -> None:
    CustomerFactory.create(phone=NUMBER, agreed=True)

    assert enqueue([message()])


def test_a_number_of_a_customer_who_did_not_agree_is_refused_at_once() -> None:
    CustomerFactory.create(phone="07700 900123")

    with pytest.raises(Unsendable, match=REFUSED):
        enqueue([message("+447700900999"), message()])

    assert not Notification.objects.exists()


def test_an_e_mail_asks_for_no_agreement() -> None:
    CustomerFactory.create(email="amelia@families.example")
    payload = {"channel": "email", "to": "amelia@families.example", "subject": "a", "text": "b"}

    assert enqueue([Message("another_programs", payload, key="a")])


# When it is sent


@in_threads
def test_a_customer_who_withdrew_is_not_written_to(provider: ProviderServer) -> None:
    customer = CustomerFactory.create(phone="07700 900123", agreed=True)
    enqueue([message()])
    customer.whatsapp_opted_in_at = None
    customer.save()

    send()

    row = Notification.objects.get()
    assert (row.status, row.reason, row.attempts) == ("cancelled", "suppressed", 0)
    assert row.last_error.startswith(f"{NUMBER} is not written to")
    assert REFUSED in row.last_error
    assert provider.whatsapp.calls == []


@in_threads
@pytest.mark.parametrize("written", ["07700 900123", "+44 7700 900123 #5"])
def test_another_programs_row_to_a_customer_who_did_not_agree_is_not_sent(
    provider: ProviderServer, written: str
) -> None:
    CustomerFactory.create(phone=NUMBER)
    refused = queue(whatsapp(written))
    behind = queue(whatsapp("+447700900456"))

    send()

    statuses = dict(Notification.objects.values_list("pk", "status"))
    assert statuses == {refused.pk: "cancelled", behind.pk: "completed"}
    assert len(provider.whatsapp.calls) == 1


@in_threads
@pytest.mark.parametrize(("agreed", "note"), [(True, ""), (None, consent.UNKNOWN)])
def test_the_audit_says_where_nobody_knows_the_number(
    provider: ProviderServer, agreed: bool | None, note: str
) -> None:
    if agreed:
        CustomerFactory.create(phone=NUMBER, whatsapp_opted_in_at=AGREED_AT)
    queue(whatsapp("07700 900123"))

    send()

    line = MessageAudit.objects.get()
    assert (line.outcome, line.note) == ("accepted", note)


@in_threads
def test_a_dry_run_says_who_did_not_agree(provider: ProviderServer) -> None:
    CustomerFactory.create(phone=NUMBER)
    queue(whatsapp())

    (line,) = run_pass(limit=10, seconds=5, channels=["whatsapp"], dry_run=True)["results"]

    assert not line["ok"]
    assert REFUSED in line["error"]


def test_a_claim_tells_so_that_nothing_is_asked_between_it_and_the_call() -> None:
    CustomerFactory.create(phone="07700 900000")
    queue_whatsapps(50)
    rows = Notification.objects.claim(50, owner="me", lease=timedelta(seconds=30))

    with CaptureQueriesContext(connection) as asked:
        Notification.look_up(rows)

    assert len(asked) == 0
    assert [row.recipient for row in rows if row.forbidden] == ["+447700900000"]


def test_of_rows_that_no_claim_took_all_are_asked_about_at_once() -> None:
    rows = queue_whatsapps(50)

    with CaptureQueriesContext(connection) as asked:
        Notification.look_up(rows)

    assert len(asked) == 1


def test_e_mails_ask_nobody() -> None:
    rows = [queue({"channel": "email", "to": "a@b.example"}), queue({"channel": 7}), queue([1])]

    with CaptureQueriesContext(connection) as asked:
        Notification.look_up(rows)

    assert len(asked) == 0
