"""The page of failures by cause: what it tells, and to whom."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from egac.canary import CanaryRetry
from egac.causes import causes_of
from notifications.models import Notification
from tests.egac.failures import (
    PAGE,
    REFUSED,
    WHY,
    ask,
    confirm,
    fail,
    fail_invites,
    page_of,
    press,
    url_of,
    words_of,
)
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, whatsapp
from tests.staff import login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_tells_of_each_cause_what_it_means_and_what_to_do() -> None:
    fail(3)
    fail(1, error="graph.facebook.com did not answer in time.", payload=whatsapp())
    fail_invites(2)

    told = page_of(login("Operators"))

    assert "Resend refused the address or the content" in told
    assert "What to do: Queue a corrected one in its place" in told
    assert "3 queued messages with the cause" in told
    assert "WhatsApp did not answer in time, so perhaps it arrived." in told
    assert "Channel WhatsApp" in told
    assert "2 invites with the cause: Resend did not answer in time" in told
    assert told.count("Retry all with this cause") == 3


def cards(client: Client) -> list[str]:
    """Return the causes of the page as a person reads them."""
    page = client.get(PAGE).content.decode()
    return [words_of(card) for card in page.split('<li class="ops-card ops-failure">')[1:]]


def test_one_cause_of_two_lists_is_one_with_the_counts_and_a_retry_of_each() -> None:
    fail(2, error="api.resend.com did not answer in time.", reason="exhausted")
    fail_invites(1)

    [told] = cards(login("Operators"))

    assert "In all 2 queued messages and 1 invite." in told
    assert "List Queued messages" in told
    assert "List Invites" in told
    assert "Retry all with this cause in queued messages" in told
    assert "Retry all with this cause in invites" in told


def heading(client: Client) -> str:
    return words_of(client.get(PAGE).content.decode().partition("<h2>")[2].partition("</h2>")[0])


def test_a_cause_of_many_does_not_read_like_the_error_of_one() -> None:
    fail(1)
    of_one = heading(login("Operators"))

    fail(1, error=REFUSED.format("p9"))

    assert "p0@x.example" in of_one
    assert "No mailbox …, id re_" in heading(login("Operators"))


SHUT = "The box is shut."


@pytest.mark.parametrize(
    ("error", "payload", "count"),
    [
        ({"code": "no_box", "message": SHUT}, email(), 1),
        ({"code": "no_key", "message": SHUT}, email(), 2),
        ({"code": "no_box", "message": "The box is full."}, email(), 2),
        ({"code": "no_box", "message": SHUT}, whatsapp(), 2),
    ],
    ids=["the same", "another code", "other words", "another channel"],
)
def test_what_differs_in_code_words_or_channel_is_another_cause(
    error: dict[str, str], payload: dict[str, Any], count: int
) -> None:
    [row] = fail(1, payload=payload)
    Notification.objects.filter(pk=row.pk).update(last_error=json.dumps(error))
    InviteFactory(status="failed", last_error={"code": "no_box", "message": SHUT})

    assert len(cards(login("Operators"))) == count


def test_the_commonest_cause_of_all_lists_together_comes_first() -> None:
    fail(2, error="api.resend.com did not answer in time.", reason="exhausted")
    fail_invites(2)
    fail(3)

    first, _ = cards(login("Operators"))

    assert "did not answer in time" in first


def test_the_examples_are_the_last_that_failed_the_latest_first() -> None:
    for hours, row in enumerate(fail(5)):
        Notification.objects.filter(pk=row.pk).update(failed_at=Now() - timedelta(hours=hours))

    told = page_of(login("Operators"))

    examples = "row0@families.example , row1@families.example , row2@families.example"
    assert f"For example {examples}" in told
    assert "row3@" not in told


def refreshed(client: Client) -> Any:
    """Ask as the page does every few seconds."""
    return client.get(url_of(button="test"), headers={"HX-Request": "true"})


def test_a_running_test_is_refreshed_until_it_is_over() -> None:
    fail(3)
    operator = login("Operators")
    press(operator)
    page = operator.get(PAGE).content.decode()
    running = refreshed(operator).content.decode()

    retry = CanaryRetry.objects.get()
    operator.post(url_of(button="take-back"), {"retry": retry.pk, "reason": WHY})

    over = refreshed(operator).content.decode()
    assert f'hx-get="{url_of(button="test")}" hx-trigger="every 5s"' in page
    assert "Take back<" in page
    assert "test running" in running
    assert "<form" not in running  # somebody may be writing into it
    assert "Taken back by" in over
    assert "Take back<" not in over
    assert "hx-get" not in over


def test_for_a_reason_that_is_too_long_nothing_is_retried_or_taken_back() -> None:
    fail(3)
    operator = login("Operators")
    posted = {**ask(operator, url_of()), "reason": "x" * 201}
    before = everything_stored()
    retried = operator.post(url_of(), posted).content.decode()
    after = everything_stored()
    press(operator)
    retry = CanaryRetry.objects.get()

    told = confirm(
        operator, url_of(button="take-back"), {"retry": str(retry.pk), "reason": "x" * 201}
    )

    assert "201 characters and at most 200 are kept" in retried
    assert after == before
    assert "201 characters and at most 200 are kept" in told
    assert CanaryRetry.objects.get().is_waiting


def test_a_viewer_sees_a_test_run_and_cannot_take_it_back() -> None:
    fail(3)
    press(login("Operators"))
    viewer = login("Viewers")

    assert "test running" in refreshed(viewer).content.decode()
    assert "Take back" not in refreshed(viewer).content.decode()
    assert refreshed(login()).status_code == 403


def test_who_opens_the_state_of_a_test_alone_gets_the_whole_page() -> None:
    fail(3)
    press(operator := login("Operators"))

    answer: Any = operator.get(url_of(button="test"))

    assert (answer.status_code, answer["Location"]) == (302, PAGE)


def test_says_what_would_be_here_while_nothing_has_failed() -> None:
    told = page_of(login("Viewers"))

    assert "Nothing has failed. What fails shows here by its cause" in told


def test_a_viewer_reads_no_address_and_has_no_button() -> None:
    fail(2)
    page = login("Viewers").get(PAGE).content.decode()

    assert "families.example" not in page
    assert "r•••@f•••.example" in page
    assert "Retry all" not in page


def test_the_lists_of_both_tables_lead_here_and_show_the_rows_of_one_cause() -> None:
    [kept, *_] = fail(2)
    fail(1, error="Resend answered 403 validation_error: Never.")
    fail_invites(1)
    operator = login("Operators")
    cause = next(each for each in causes_of(Notification) if kept.pk in each.newest)

    for table in ("invites/invite", "notifications/notification"):
        assert PAGE in operator.get(f"/admin/{table}/").content.decode()
    rows: Any = operator.get(f"/admin/notifications/notification/?cause={cause.name}")

    assert rows.context["cl"].result_count == 2


def test_asks_with_the_messages_as_they_would_go_and_changes_nothing() -> None:
    fail(3)
    operator = login("Operators")
    url = url_of()
    operator.get(PAGE)
    before = everything_stored()

    answer: Any = operator.post(url)

    page = answer.content.decode()
    assert everything_stored() == before
    assert "The first of these goes now, as a test" in page
    assert page.count("You are booked") >= 3
    assert answer.context["count"] == 3


def test_the_first_is_one_that_would_really_be_sent() -> None:
    [good, bad] = fail(2)
    Notification.objects.filter(pk=bad.pk).update(expires_at=Now() - timedelta(hours=1))
    operator = login("Operators")

    posted = ask(operator, url_of())

    assert posted["seen"].startswith(f"{good.pk}@")


def test_23_it_asks_as_often_for_many_causes_as_for_few() -> None:
    operator = login("Operators")
    fail(1)
    fail_invites(1)
    operator.get(PAGE)
    with CaptureQueriesContext(
        connection,
    ) as few:
        operator.get(PAGE)
    for word in ("alpha", "beta", "gamma", "delta"):
        fail(4, error=f"The {word} broke for {{0}}@x.example.")

    with CaptureQueriesContext(connection) as many:
        operator.get(PAGE)

    assert len(many) == len(few)
    assert not any("COUNT(*)" in query["sql"] for query in many)
