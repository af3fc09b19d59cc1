"""The queue in the admin: who may open it, its list and its records."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent, MessageAudit
from notifications.catalogue import email_payload, sample_context, whatsapp_payload
from notifications.models import Notification, Worker
from tests.notifications.factories import email, queue, queue_emails, whatsapp
from tests.notifications.staff_pages import (
    LIST,
    VERBS,
    ask,
    confirm,
    failed,
    listed,
    page_of,
    record_of,
    tomorrow,
)
from tests.staff import login

pytestmark = pytest.mark.django_db

Status = Notification.Status
WORKERS = "/admin/notifications/worker/"
SAMPLES = "/admin/notifications/sample/"


def pages() -> list[str]:
    """Every address of this app's pages, with a row to look at."""
    row = queue(email())
    Worker.objects.create(name="there", kind=Worker.Kind.LOOP)
    verbs = [f"{LIST}{verb}/" for verb in VERBS]
    of_row = [f"{LIST}{row.pk}/{page}/" for page in ("change", "email", "history")]
    return [LIST, *verbs, *of_row, WORKERS, SAMPLES, f"{SAMPLES}invoice_issued/"]


# Who may


@pytest.mark.parametrize("method", ["get", "post"])
def test_19_every_page_refuses_an_anonymous_request(method: str) -> None:
    for url in pages():
        answer = getattr(Client(), method)(url)

        assert answer.status_code == 302, url
        assert answer["Location"].startswith("/admin/login/"), url


@pytest.mark.parametrize("method", ["get", "post"])
def test_19_every_page_refuses_staff_of_no_group(method: str) -> None:
    stranger = login()

    for url in pages():
        assert getattr(stranger, method)(url).status_code == 403, url


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("posted", [{}, {"seen": "1@x"}, {"seen": "1@x", "at": "nonsense"}])
def test_19_every_button_refuses_a_viewer(
    viewer: Client, verb: str, posted: dict[str, str]
) -> None:
    assert viewer.post(f"{LIST}{verb}/", posted).status_code == 403


def test_a_viewer_may_look_and_sees_no_button(viewer: Client) -> None:
    row = queue(email())
    refused = (*VERBS, "email")
    urls = [url for url in pages() if url.rstrip("/").rpartition("/")[2] not in refused]

    assert {viewer.get(url).status_code for url in urls} == {200}
    assert "formaction" not in record_of(viewer, row)


@pytest.mark.parametrize("model", ["notification", "worker"])
@pytest.mark.parametrize("page", ["add", "1/delete"])
def test_nothing_is_added_edited_or_deleted_by_hand(model: str, page: str) -> None:
    manager = login("Managers")

    assert manager.post(f"/admin/notifications/{model}/{page}/").status_code == 403


def test_19_no_get_changes_a_row(operator: Client) -> None:
    urls = pages()
    row = failed()
    before = list(Notification.objects.order_by("pk").values())

    for url in [*urls, *(f"{LIST}{verb}/?seen={row.pk}@x&at={tomorrow()}" for verb in VERBS)]:
        operator.get(url)

    assert list(Notification.objects.order_by("pk").values()) == before
    assert not LogEntry.objects.exists()


def test_batches_have_no_page() -> None:
    assert login("Managers").get("/admin/notifications/emailbatch/").status_code == 404


# The list


def test_the_list_says_type_recipient_channel_attempts_and_error_in_words(operator: Client) -> None:
    Notification.objects.create(
        type="invoice_issued",
        payload=whatsapp(),
        status=Status.FAILED,
        reason="exhausted",
        attempts=2,
        last_error="It broke",
    )

    page = page_of(operator.get(LIST))

    for words in ("New invoice", "+447700900123", "WhatsApp", "2 of 5", "It broke"):
        assert words in page
    assert "ops-bad" in page


@pytest.mark.parametrize("payload", [[], "text", 5, {"to": 7, "channel": ["email"]}, {}])
def test_a_payload_of_any_shape_is_shown(operator: Client, payload: Any) -> None:
    row = queue(payload)

    assert "nobody" in page_of(operator.get(LIST))
    assert "There is no e-mail to show." in record_of(operator, row)
    assert "It will fail: Its payload" in page_of(
        operator.post(f"{LIST}retry/", {"_selected_action": row.pk})
    )


@pytest.mark.parametrize(
    ("query", "is_whatsapp_found", "is_email_found"),
    [
        ("status__exact=failed", True, False),
        ("status__exact=pending", False, True),
        ("channel=whatsapp", True, False),
        ("channel=email", False, True),
        ("type=invoice_issued", True, False),
        ("type=other", False, True),
        ("reason=permanent", True, False),
        ("error=yes", True, False),
        ("error=no", False, True),
        ("q=%2B447700900123", True, False),
        ("q=AMELIA@families.example", False, True),
        ("q=amelia", False, False),
        ("q=99999999999999999999", False, False),
    ],
)
def test_the_list_is_filtered_and_searched(
    viewer: Client, query: str, is_whatsapp_found: bool, is_email_found: bool
) -> None:
    one = Notification.objects.create(
        type="invoice_issued",
        payload=whatsapp(),
        status=Status.FAILED,
        reason="permanent",
        last_error="It broke",
    )
    two = Notification.objects.create(type="a_type_of_theirs", payload=email())

    found = listed(viewer, query)

    assert (one.pk in found, two.pk in found) == (is_whatsapp_found, is_email_found)


def test_the_list_is_searched_by_an_exact_id(viewer: Client) -> None:
    rows = queue_emails(12)

    assert listed(viewer, f"q={rows[3].pk}") == {rows[3].pk}


def test_the_list_takes_a_fixed_number_of_queries(viewer: Client) -> None:
    queue_emails(2)
    viewer.get(LIST)
    with CaptureQueriesContext(connection) as of_few:
        viewer.get(LIST)
    queue_emails(20)

    with CaptureQueriesContext(connection) as of_many:
        viewer.get(LIST)

    assert len(of_many) == len(of_few)


# The record


def test_the_record_shows_an_email_in_a_sandboxed_frame(operator: Client) -> None:
    context = sample_context("access_restored")
    row = queue(email_payload("access_restored", to="a@b.example", context=context))

    page = record_of(operator, row)
    frame = operator.get(f"{LIST}{row.pk}/email/")

    assert "<iframe" in page
    assert " sandbox " in page
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "Amelia Hart" in frame.content.decode()


def test_the_record_shows_a_whatsapp_as_template_and_variables(operator: Client) -> None:
    row = queue(whatsapp())

    page = record_of(operator, row)

    assert "class_reminder (en_GB)" in page
    assert "2. Tuesday 18:30" in page
    assert operator.get(f"{LIST}{row.pk}/email/").status_code == 404


def test_the_payload_is_shown_escaped(operator: Client) -> None:
    row = queue(email(subject="<script>alert(1)</script>"))

    page = record_of(operator, row)

    assert "&quot;subject&quot;: &quot;&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_long_payload_is_cut(operator: Client) -> None:
    row = queue(email(attachments=[{"filename": "a.pdf", "content": "A" * 100_000}]))

    page = record_of(operator, row)

    assert "more characters" in page
    assert len(page) < 60_000


def test_no_page_shows_the_host_link_of_a_class(operator: Client) -> None:
    context = sample_context("class_host_notification")
    payload = email_payload("class_host_notification", to="sam@club.example", context=context)
    row = queue(payload)

    page = record_of(operator, row)
    frame = operator.get(f"{LIST}{row.pk}/email/").content.decode()

    assert "(hidden)" in page
    for shown in (page, frame):
        assert "98765432101" not in shown
        assert "zak=" not in shown


def test_links_are_cut_in_the_variables_of_a_whatsapp_too(operator: Client) -> None:
    context = sample_context("class_notification")
    row = queue(whatsapp_payload("class_notification", to="+447700900123", context=context))

    page = record_of(operator, row)

    assert "https://zoom.example/…" in page
    assert "pwd=" not in page


def test_the_timeline_tells_attempts_deliveries_and_staff(operator: Client) -> None:
    row = failed()
    told = {"source": "notifications_queue", "source_id": str(row.pk)}
    MessageAudit.objects.create(
        generation=1,
        attempt=1,
        counted=True,
        channel="email",
        recipient=row.recipient,
        provider="resend",
        outcome=MessageAudit.Outcome.REFUSED,
        error_code="service_unavailable",
        **told,
    )
    DeliveryEvent.objects.create(
        provider="resend", event_id="e", kind="bounced", occurred_at=timezone.now(), **told
    )
    confirm(operator, "cancel", ask(operator, "cancel", row))

    page = record_of(operator, row)

    for words in ("Attempt 1:", "service_unavailable", "resend told: bounced", "Cancel: 1 of 1."):
        assert words in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "failed"}, "Failed in another program. Press Retry now"),
        ({"status": "failed", "reason": "invalid"}, "Queue a corrected one in its place."),
        ({"in_doubt_since": "2026-03-03T10:00:00Z"}, "Perhaps it arrived already:"),
        ({"payload": whatsapp()}, "Held. Dry run (WHATSAPP_DRY_RUN)"),
    ],
)
def test_the_record_says_where_the_row_stands(
    viewer: Client, settings: Settings, fields: dict[str, Any], sentence: str
) -> None:
    settings.WHATSAPP_DRY_RUN = True

    page = record_of(viewer, queue(**{"payload": email(), **fields}))

    assert sentence in page
