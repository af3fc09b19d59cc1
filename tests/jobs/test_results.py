"""A run's result for people: numbers in words, its rows as tables with links to their records."""

from typing import Any

import pytest

from jobs.results import RECORDS, changes_of, notes_of, pages_of, tables_of

INVITE = "6f7b1a52-7f0a-4c35-9e0e-0d1c7b1f6a11"


def sent(count: int) -> dict[str, Any]:
    row = {"ok": True, "invite_id": INVITE, "resend_id": None}
    return {"ok": True, "processed": count, "results": [row] * count, "left": 0, "note": ""}


def test_every_number_is_told_in_words_those_inside_as_well() -> None:
    result = {"reminders_sent": 3, "ok": True, "escalation": {"escalated_to_grace": 1}, "at": "x"}

    assert changes_of(result) == [("reminders sent", 3), ("escalated to grace", 1)]


def test_names_that_only_callers_know_are_told_in_words_too() -> None:
    result = {"created_count": 3, "error_count": 1, "total_processed": 4}

    assert changes_of(result) == [("made", 3), ("not done", 1), ("looked at", 4)]


@pytest.mark.parametrize(
    ("result", "notes"),
    [
        ({"note": "Dry run."}, ["Dry run."]),
        ({"note": "", "notes": ["WhatsApp is off."]}, ["WhatsApp is off."]),
        (None, []),
    ],
)
def test_notes_are_sentences(result: dict[str, Any] | None, notes: list[str]) -> None:
    assert notes_of(result) == notes


def test_rows_become_a_table_and_the_record_comes_first() -> None:
    [table] = tables_of("retry_invites", sent(2), page=1)

    assert (table.title, table.columns) == ("results", ["invite id", "done", "id at Resend"])
    assert [cell.text for cell in table.rows[0]] == [INVITE, "yes", "–"]
    assert table.rows[0][0].link == f"/admin/invites/invite/{INVITE}/change/"


def test_a_page_holds_fifty_rows() -> None:
    [first] = tables_of("retry_invites", sent(120), page=1)
    [last] = tables_of("retry_invites", sent(120), page=3)

    assert (first.first, first.last, first.count) == (1, 50, 120)
    assert (last.first, last.last) == (101, 120)
    assert pages_of(sent(120)) == 3


def test_an_id_of_the_worker_is_a_message() -> None:
    [table] = tables_of("run_worker_queue", {"results": [{"id": 7, "ok": True}]}, page=1)

    assert table.rows[0][0].link == "/admin/notifications/notification/7/change/"


def test_an_id_of_a_record_without_a_page_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECORDS, "pool_id", "admin:pools_pool_change")

    [table] = tables_of("retry_invites", {"results": [{"pool_id": 7}]}, page=1)

    assert (table.rows[0][0].text, table.rows[0][0].link) == ("7", "")


def test_rows_that_are_no_objects_have_one_column() -> None:
    [table] = tables_of("generate_monthly_invoices", {"errors": ["It has no price."]}, page=1)

    assert (table.title, table.columns) == ("errors", ["value"])
    assert table.rows[0][0].text == "It has no price."


def test_a_long_value_is_cut() -> None:
    [table] = tables_of("x", {"results": [{"error": "word " * 200}]}, page=1)

    assert len(table.rows[0][0].text) == 301
