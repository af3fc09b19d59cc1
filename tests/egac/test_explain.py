"""What staff read about an error and about how a row ended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from egac.explain import ended_sentence, explain_error, what_happened
from egac.meanings import RESEND
from egac.retry import Reason
from invites.models import Invite

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
Status = Invite.Status


@pytest.mark.parametrize(
    ("error", "gave_up", "sentence"),
    [
        (
            {
                "code": "validation_error",
                "message": "Resend answered 422 validation_error: Invalid `to` field.",
            },
            True,
            "Resend refused the address or the content (Invalid `to` field): "
            "correct the enquiry, then retry.",
        ),
        (
            {
                "code": "validation_error",
                "message": "Resend answered 403 validation_error: Not verified.",
            },
            False,
            "Resend does not send for our domain (Not verified): verify the domain at Resend.",
        ),
        (
            {"code": "service_unavailable", "message": "Resend answered 503 …: Later."},
            False,
            "Resend was out of service: it is tried again by itself.",
        ),
        (
            {"code": "service_unavailable", "message": "Resend answered 503 …: Later."},
            True,
            "Resend was out of service: press Retry now.",
        ),
        (
            {"code": "http_502", "message": "Resend answered 502: <html>"},
            False,
            "Resend had an error of its own: it is tried again by itself.",
        ),
        (
            {"code": "http_418", "message": "Resend answered 418: A teapot."},
            True,
            "Something before Resend refused the call (A teapot): press Retry now.",
        ),
        (
            {
                "code": "validation_error",
                "message": "Resend refused this e-mail of the batch: No such mailbox.",
            },
            True,
            "Resend refused the address or the content (No such mailbox): "
            "correct the enquiry, then retry.",
        ),
        (
            {"code": "invalid", "message": "It has no e-mail address. Add one, then retry."},
            True,
            "It has no e-mail address. Add one, then retry.",
        ),
        (
            "Resend answered 500 application_error: Oops.",
            False,
            "Resend had an error of its own: it is tried again by itself.",
        ),
        (
            {"statusCode": 422, "name": "validation_error", "message": "Bad address"},
            True,
            "Resend refused the address or the content (Bad address): "
            "correct the enquiry, then retry.",
        ),
        (
            '{"name": "rate_limit_exceeded", "message": "Slow down"}',
            False,
            "Resend asked us to slow down: it is tried again by itself.",
        ),
        ("boom", True, "The last try failed (boom): press Retry now."),
        (["odd"], True, 'The last try failed (["odd"]): press Retry now.'),
        ({}, True, ""),
        (None, True, ""),
    ],
)
def test_says_an_error_in_one_sentence(error: Any, gave_up: bool, sentence: str) -> None:
    assert explain_error(error, gave_up=gave_up) == sentence


@pytest.mark.parametrize("code", sorted(RESEND))
def test_every_error_of_the_table_ends_in_a_next_step(code: str) -> None:
    sentence = explain_error({"code": code, "message": "Their words."}, gave_up=True)

    assert sentence.endswith(".")
    assert ": " in sentence
    assert "{words}" not in sentence


def test_an_error_that_lies_behind_us_has_no_next_step() -> None:
    error = {"code": "timeout", "message": "api.resend.com did not answer in time."}

    assert what_happened(error) == "Resend did not answer in time, so perhaps it arrived."


def test_words_of_ours_stand_alone_where_the_row_was_not_called() -> None:
    error = "a@b.example is not written to: bounced."

    assert explain_error(error, gave_up=True, reason=Reason.SUPPRESSED) == error
    assert explain_error(error, gave_up=True, reason=Reason.EXHAUSTED) != error


def test_braces_in_the_words_of_the_provider_stay_as_they_are() -> None:
    error = {"code": "validation_error", "message": "{to} is {words}"}

    assert "({to} is {words})" in explain_error(error, gave_up=True)


def test_long_words_of_the_provider_are_cut() -> None:
    error = {"code": "validation_error", "message": "x" * 10_000}

    assert len(explain_error(error, gave_up=True)) < 400


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"status": Status.SENT, "sent_at": NOW, "provider_message_id": "re_1"},
            "Sent on 3 March 2026 at 10:00 GMT, as re_1.",
        ),
        (
            {"status": Status.FAILED, "attempts": 3},
            "Failed in the older program after 3 attempts. Press Retry now to send it.",
        ),
        (
            {"status": Status.FAILED, "reason": Reason.EXHAUSTED},
            "Failed: it was given up after its last try. Press Retry now when the cause is gone.",
        ),
        (
            {"status": Status.CANCELLED, "reason": Reason.BY_STAFF},
            "Cancelled: staff took it back. Press Retry now to send it after all.",
        ),
    ],
)
def test_says_how_a_row_ended(fields: dict[str, Any], sentence: str) -> None:
    invite = Invite(**{"attempts": 0, **fields})

    assert ended_sentence(invite) == sentence
