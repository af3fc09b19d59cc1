"""Which texts are a phone number, and which one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egac.outbox import Unsendable
from egac.providers.whatsapp import usable_number


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+447700900123", "GB", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("  +44 (0)7700-900 123 ", "GB", "+447700900123"),
        ("0044 7700 900123", "GB", "+447700900123"),
        ("020 7946 0958", "GB", "+442079460958"),  # a landline: businesses use WhatsApp on one
        ("+1 202 555 0143", "GB", "+12025550143"),
        ("+49 1511 2345678", "GB", "+4915112345678"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("07700 900123", "DE", "+497700900123"),
        ("07700\u00a0900123\u200b", "GB", "+447700900123"),
    ],
)
def test_reads_a_number_as_the_region_writes_it(text: str, region: str, number: str) -> None:
    assert usable_number(text, region=region) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no phone number. Add one"),
        ("   ", "no phone number. Add one"),
        ("123", "too few or too many digits"),
        ("07700 900 12345", "too few or too many digits"),
        ("+44 7700 900123 0000000", "too few or too many digits"),
        ("+999 7700 900123", "with its country code"),
        ("+", "with its country code"),
        ("call me", "letters"),
        ("07700 9OO123", "letters"),  # the parser would call +44 077009123
        ("07700900123, 07700900124", "with its country code"),
        ("ana@families.example", "letters"),
    ],
)
def test_refuses_in_a_sentence_what_is_no_number(text: str, why: str) -> None:
    with pytest.raises(Unsendable, match=why) as caught:
        usable_number(text, region="GB")

    assert str(caught.value).endswith(".")


def test_a_number_needs_its_country_where_no_region_is_known() -> None:
    with pytest.raises(Unsendable, match="with its country code"):
        usable_number("07700 900123", region="XX")


@given(st.text() | st.from_regex(r"\+?[0-9 ()-]{0,20}", fullmatch=True))
def test_a_number_is_e164_or_refused(text: str) -> None:
    try:
        number = usable_number(text, region="GB")
    except Unsendable:
        return

    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdecimal()
    assert usable_number(number, region="DE") == number
