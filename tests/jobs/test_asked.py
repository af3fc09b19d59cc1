"""What a body asks for, and which bodies and values cannot be used."""

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.asked import READERS, Unusable, asked_in

VALUES: dict[str, Any] = {
    "limit": st.integers() | st.text(max_size=5) | st.floats() | st.booleans(),
    "date": st.text(max_size=12) | st.integers(),
    "dry_run": st.booleans() | st.integers() | st.text(max_size=5),
}


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b"", {}),
        (b" \n", {}),
        (b"{}", {}),
        (b'{"force":false}', {"force": False}),
        (b'{"force_invoke":true}', {"force_invoke": True}),
        (b'{"limit":10}', {"limit": 10}),
        (b'{"limit":"10"}', {"limit": 10}),
        (b'{"limit":"0001000"}', {"limit": 1000}),
        (b'{"limit":null,"date":null}', {}),
        (
            b'{"date":"2026-12-01","dry_run":true}',
            {"date": date(2026, 12, 1), "dry_run": True},
        ),
        ('\ufeff{"limit":10}'.encode(), {"limit": 10}),
    ],
)
def test_reads_what_callers_send(body: bytes, asked: dict[str, Any]) -> None:
    assert asked_in(body) == (asked, [])


def test_names_what_means_nothing_to_any_job() -> None:
    assert asked_in(b'{"limit":1,"dryRun":true,"source":"cron"}') == (
        {"limit": 1},
        ["dryRun", "source"],
    )


@pytest.mark.parametrize(
    "body",
    [b"hello", b"limit=10", b"{", b"{'limit': 10}", b"\xff\xfe", b"[" * 60_000, b'{"limit":1e}'],
)
def test_refuses_a_body_that_is_no_json(body: bytes) -> None:
    with pytest.raises(Unusable, match="is no JSON. Send a JSON object"):
        asked_in(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b"10", b'"limit"', b"true"])
def test_refuses_json_that_is_no_object(body: bytes) -> None:
    with pytest.raises(Unusable, match="is no JSON object"):
        asked_in(body)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("limit", 0, "limit is 0. Send a whole number from 1 to 1000."),
        ("limit", -1, "limit is -1."),
        ("limit", 1001, "limit is 1001."),
        ("limit", 10**9, "limit is 1000000000."),
        ("limit", "abc", 'limit is "abc".'),
        ("limit", "", 'limit is "".'),
        ("limit", " 1", 'limit is " 1".'),
        ("limit", "1" * 5000, 'limit is "111'),
        ("limit", "१०", 'limit is "१०".'),
        ("limit", 1.5, "limit is 1.5."),
        ("limit", True, "limit is true."),
        ("limit", [10], "limit is [10]."),
        ("date", "1.12.2026", 'date is "1.12.2026". Send a day from 1900-01-01'),
        ("date", "1899-12-31", 'date is "1899-12-31".'),
        ("date", "2100-01-01", 'date is "2100-01-01".'),
        ("date", "2026-02-30", 'date is "2026-02-30".'),
        ("date", "20261231", 'date is "20261231".'),
        ("date", "", 'date is "".'),
        ("date", 20261201.5, "date is 20261201.5."),
        ("date", {"day": 1}, 'date is {"day": 1}.'),
        ("dry_run", "true", 'dry_run is "true". Send true or false.'),
        ("dry_run", 1, "dry_run is 1."),
        ("force", "no", 'force is "no".'),
        ("force_invoke", 0, "force_invoke is 0."),
    ],
)
def test_refuses_a_value_and_says_which(name: str, value: Any, told: str) -> None:
    with pytest.raises(Unusable) as refused:
        asked_in(json.dumps({name: value}).encode())

    assert str(refused.value).startswith(told)
    assert len(str(refused.value)) < 140


@given(st.fixed_dictionaries({}, optional=VALUES))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_is_read_or_refused(given_: dict[str, Any]) -> None:
    try:
        asked, ignored = asked_in(json.dumps(given_).encode())
    except Unusable:
        return

    assert asked.keys() <= READERS.keys()
    assert ignored == []
    assert 1 <= asked.get("limit", 1) <= 1000


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_no_bytes_break_it(body: bytes) -> None:
    with contextlib.suppress(Unusable):
        asked_in(body)
