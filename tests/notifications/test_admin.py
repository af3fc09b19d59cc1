"""The queue in the admin: who may open it, what its pages say, and what its buttons do."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from pytest_django.fixtures import Settings

from egac.delivery import DeliveryEvent, MessageAudit, Suppression
from notifications.catalogue import TYPES, email_payload, sample_context, whatsapp_payload
from notifications.models import EmailBatch, Notification, Worker
from tests.notifications.factories import email, queue, queue_emails, whatsapp
from tests.staff import login

pytestmark = pytest.mark.django_db

Status = Notification.Status
LIST = "/admin/notifications/notification/"
WORKERS = "/admin/notifications/worker/"
SAMPLES = "/admin/notifications/sample/"
VERBS = ("retry", "cancel", "reschedule")


@pytest.fixture
def operator() -> Client:
    return login("Operators")


@pytest.fixture
def viewer() -> Client:
    return login("Viewers")


@pytest.fixture
def worker() -> Worker:
    return Worker.objects.create(name="here:1:a", kind=Worker.Kind.LOOP)


def failed(**fields: Any) -> Notification:
    return queue(email(), status=Status.FAILED, reason="exhausted", attempts=5, **fields)


def ask(client: Client, verb: str, *rows: Notification) -> dict[str, Any]:
    """Press a button of the list, and return what the page that asks would post."""
    answer = client.post(f"{LIST}{verb}/", {"_selected_action": [row.pk for row in rows]})
    context: Any = answer.context
    return {"seen": context["seen"], "back": context["back"]}


def confirm(client: Client, verb: str, posted: dict[str, Any], **more: str) -> str:
    """Press the button of the page that asks, and return the message that follows."""
    return message_of(client.post(f"{LIST}{verb}/", {**posted, **more}, follow=True))


def message_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def page_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def record_of(client: Client, row: Notification) -> str:
    return page_of(client.get(f"{LIST}{row.pk}/change/"))


def listed(client: Client, query: str) -> set[int]:
    return {row.pk for row in client.get(f"{LIST}?{query}").context["cl"].result_list}


def tomorrow() -> str:
    return f"{timezone.localdate() + timedelta(days=1)}T12:00"


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
    urls = [url for url in pages() if url.rstrip("/").rpartition("/")[2] not in VERBS]

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


def test_the_list_says_type_recipient_channel_attempts_and_error_in_words(viewer: Client) -> None:
    Notification.objects.create(
        type="invoice_issued",
        payload=whatsapp(),
        status=Status.FAILED,
        reason="exhausted",
        attempts=2,
        last_error="It broke",
    )

    page = page_of(viewer.get(LIST))

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


def test_the_record_shows_an_email_in_a_sandboxed_frame(viewer: Client) -> None:
    context = sample_context("access_restored")
    row = queue(email_payload("access_restored", to="a@b.example", context=context))

    page = record_of(viewer, row)
    frame = viewer.get(f"{LIST}{row.pk}/email/")

    assert "<iframe" in page
    assert " sandbox " in page
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "Amelia Hart" in frame.content.decode()


def test_the_record_shows_a_whatsapp_as_template_and_variables(viewer: Client) -> None:
    row = queue(whatsapp())

    page = record_of(viewer, row)

    assert "class_reminder (en_GB)" in page
    assert "2. Tuesday 18:30" in page
    assert viewer.get(f"{LIST}{row.pk}/email/").status_code == 404


def test_the_payload_is_shown_escaped(viewer: Client) -> None:
    row = queue(email(subject="<script>alert(1)</script>"))

    page = record_of(viewer, row)

    assert "&quot;subject&quot;: &quot;&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_long_payload_is_cut(viewer: Client) -> None:
    row = queue(email(attachments=[{"filename": "a.pdf", "content": "A" * 100_000}]))

    page = record_of(viewer, row)

    assert "more characters" in page
    assert len(page) < 60_000


def test_no_page_shows_the_host_link_of_a_class(viewer: Client) -> None:
    context = sample_context("class_host_notification")
    payload = email_payload("class_host_notification", to="sam@club.example", context=context)
    row = queue(payload)

    page = record_of(viewer, row)
    frame = viewer.get(f"{LIST}{row.pk}/email/").content.decode()

    assert "(hidden)" in page
    for shown in (page, frame):
        assert "98765432101" not in shown
        assert "zak=" not in shown


def test_links_are_cut_in_the_variables_of_a_whatsapp_too(viewer: Client) -> None:
    context = sample_context("class_notification")
    row = queue(whatsapp_payload("class_notification", to="+447700900123", context=context))

    page = record_of(viewer, row)

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
        ({"payload": whatsapp()}, "But: Dry run (WHATSAPP_DRY_RUN)"),
    ],
)
def test_the_record_says_where_the_row_stands(
    viewer: Client, settings: Settings, fields: dict[str, Any], sentence: str
) -> None:
    settings.WHATSAPP_DRY_RUN = True

    page = record_of(viewer, queue(**{"payload": email(), **fields}))

    assert sentence in page


# Retry now


def test_retry_now_makes_rows_due_and_tells_two_numbers(operator: Client, worker: Worker) -> None:
    later = queue(email(), due_at=timezone.now() + timedelta(days=1))
    ended, done = failed(), queue(email(), status=Status.COMPLETED)
    posted = ask(operator, "retry", later, ended)
    everything = f"{posted['seen']} {done.pk}@{done.updated_at.isoformat()}"

    told = confirm(operator, "retry", {"seen": everything})

    assert told == "2 are due now: the worker sends them. Skipped: 1 sent already."
    assert set(Notification.objects.due()) == {later, ended}
    ended.refresh_from_db()
    assert (ended.generation, ended.attempts) == (2, 0)


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"kind": "loop"}, False),
        ({"kind": "pass", "stopped_at": Now()}, False),
        ({"kind": "loop", "stopped_at": Now()}, True),
        ({"kind": "loop", "seen_at": Now() - timedelta(minutes=6)}, True),
    ],
)
def test_retry_now_says_when_no_worker_was_seen(
    operator: Client, fields: dict[str, Any], is_told: bool
) -> None:
    Worker.objects.create(name="one", **fields)

    told = confirm(operator, "retry", ask(operator, "retry", failed()))

    assert told.startswith("1 are due now: the worker sends them.")
    assert ("no worker was seen for 5 minutes" in told) is is_told


def test_18_a_second_press_changes_nothing(operator: Client, worker: Worker) -> None:
    row = failed()
    posted = ask(operator, "retry", row)
    confirm(operator, "retry", posted)

    told = confirm(operator, "retry", posted)

    row.refresh_from_db()
    assert "Skipped: 1 changed by somebody else meanwhile." in told
    assert row.generation == 2


@pytest.mark.parametrize("verb", VERBS)
def test_18_a_stale_page_changes_nothing(operator: Client, verb: str) -> None:
    sending, changed, gone = (queue(email()) for _ in range(3))
    posted = ask(operator, verb, sending, changed, gone)
    Notification.objects.filter(pk=sending.pk).update(status=Status.PROCESSING)
    Notification.objects.filter(pk=changed.pk).update(
        updated_at=F("updated_at") + timedelta(seconds=1)
    )
    gone.delete()
    before = list(Notification.objects.order_by("pk").values())

    told = confirm(operator, verb, posted, at=tomorrow())

    for why in ("being sent right now", "changed by somebody else meanwhile", "no longer there"):
        assert f"1 {why}" in told
    assert list(Notification.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("verb", VERBS)
def test_18_a_row_frozen_in_an_open_batch_is_skipped_and_named(operator: Client, verb: str) -> None:
    batch = EmailBatch.objects.create(row_ids=[1])
    frozen = queue(email(), status=Status.PROCESSING, batch=batch)
    sending = queue(email(), status=Status.PROCESSING)
    keys = [frozen.pk, sending.pk]

    page = page_of(operator.post(f"{LIST}{verb}/", {"_selected_action": keys}))
    told = confirm(operator, verb, {"seen": " ".join(f"{key}@x" for key in keys)}, at=tomorrow())

    for words in (page, told):
        assert "1 in a batch that is being sent" in words
        assert "1 being sent right now" in words
    assert set(Notification.objects.values_list("status", flat=True)) == {Status.PROCESSING}


def test_a_row_of_a_batch_that_is_over_is_retried(operator: Client, worker: Worker) -> None:
    batch = EmailBatch.objects.create(row_ids=[1], status=EmailBatch.Status.FAILED)

    told = confirm(operator, "retry", ask(operator, "retry", failed(batch=batch)))

    assert told == "1 are due now: the worker sends them."


def test_the_page_that_asks_names_whom_what_and_what_speaks_against_it(operator: Client) -> None:
    Suppression.objects.create(address="hushed@club.example", reason="complained")
    hushed = queue(email("Hushed@club.example"))
    over = queue(email(), expires_at=timezone.now() - timedelta(days=1))
    doubtful = queue(whatsapp(), status=Status.FAILED, reason="uncertain")
    keys = [hushed.pk, over.pk, doubtful.pk]

    page = page_of(operator.post(f"{LIST}retry/", {"_selected_action": keys}))

    assert "Retry now: 3 notifications." in page
    assert escape(TYPES["booking_confirmation"].title) in page
    for warning in ("It will not be sent: complained.", "it was of use until", "Perhaps it"):
        assert warning in page


@pytest.mark.parametrize("seen", ["nonsense", "a@b", "@", "1@yesterday", f"{'9' * 30}@x"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_made_up_confirmation_changes_nothing(operator: Client, verb: str, seen: str) -> None:
    row = queue(email())

    answer = operator.post(f"{LIST}{verb}/", {"seen": seen, "at": tomorrow()}, follow=True)

    assert answer.status_code == 200
    assert message_of(answer).startswith("0 ")
    assert Notification.objects.get().updated_at == row.updated_at


# Cancel and reschedule


def test_cancel_takes_back_what_waits(operator: Client) -> None:
    row = queue(email())

    told = confirm(operator, "cancel", ask(operator, "cancel", row))

    row.refresh_from_db()
    assert told == "1 cancelled."
    assert (row.status, row.reason) == (Status.CANCELLED, "by_staff")


def test_reschedule_asks_for_a_time_and_names_the_zone(operator: Client) -> None:
    row = queue(email())

    page = page_of(operator.post(f"{LIST}reschedule/", {"_selected_action": row.pk}))

    assert 'type="datetime-local"' in page
    assert "Europe/London" in page
    assert "ops-warning" not in page


def test_reschedule_moves_what_waits_to_that_time_in_the_clubs_zone(operator: Client) -> None:
    row, ended = queue(email()), failed()
    posted = ask(operator, "reschedule", row)
    posted["seen"] += f" {ended.pk}@{ended.updated_at.isoformat()}"
    at = tomorrow()

    told = confirm(operator, "reschedule", posted, at=at)

    row.refresh_from_db()
    assert re.fullmatch(r"1 rescheduled to .* (GMT|BST)\. Skipped: 1 failed\.", told)
    assert f"{timezone.localtime(row.due_at):%Y-%m-%dT%H:%M}" == at
    assert LogEntry.objects.get().get_change_message().startswith("Reschedule: 1 of 2, to ")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("", "Choose a day and a time."),
        ("soon", "That is no day and time"),
        ("2020-01-01T10:00", "That time is over"),
        ("9999-12-31T23:59", "more than a year ahead"),
    ],
)
def test_reschedule_asks_again_for_a_time_that_cannot_be(
    operator: Client, at: str, sentence: str
) -> None:
    row = queue(email())

    answer = operator.post(
        f"{LIST}reschedule/", {**ask(operator, "reschedule", row), "at": at}, follow=True
    )

    row.refresh_from_db()
    assert sentence in page_of(answer)
    assert str(row.pk) in answer.context["seen"]
    assert row.due_at is None


def test_reschedule_skips_what_is_in_doubt_and_what_is_of_no_use_by_then(operator: Client) -> None:
    doubtful = queue(email(), in_doubt_since=timezone.now())
    useless = queue(email(), expires_at=timezone.now() + timedelta(hours=1))
    seen = " ".join(f"{row.pk}@{row.updated_at.isoformat()}" for row in (doubtful, useless))

    told = confirm(operator, "reschedule", {"seen": seen}, at=tomorrow())

    assert "Skipped: 1 perhaps sent already, 1 of no use by then." in told
    assert not Notification.objects.exclude(due_at=None).exists()


# Workers and samples


def test_the_list_of_workers_says_in_words_who_is_alive(viewer: Client, worker: Worker) -> None:
    silent = Now() - timedelta(minutes=2)
    Worker.objects.create(name="gone:2:b", kind="loop", seen_at=silent, recorded=1234)
    Worker.objects.create(name="done:3:c", kind="pass", stopped_at=Now())

    page = page_of(viewer.get(WORKERS))

    for words in ("alive", "silent: it was killed", "stopped in good order", "one pass", "1234"):
        assert words in page


def test_an_empty_list_says_what_would_be_here(viewer: Client) -> None:
    for url in (LIST, WORKERS):
        assert "here as soon as one" in page_of(viewer.get(url))


def test_the_index_links_to_a_page_of_every_type(viewer: Client) -> None:
    index = page_of(viewer.get("/admin/"))
    page = page_of(viewer.get(SAMPLES))

    assert f'href="{SAMPLES}"' in index
    for type, about in TYPES.items():
        assert escape(about.title) in page
        assert f'src="{type}/"' in page
        assert "sandbox" in viewer.get(f"{SAMPLES}{type}/")["Content-Security-Policy"]


def test_there_is_no_sample_of_an_unknown_type(viewer: Client) -> None:
    assert viewer.get(f"{SAMPLES}nonsense/").status_code == 404
