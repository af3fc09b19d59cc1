"""What is masked in a text and in a page, and what is left as it is."""

import pytest

from egac.masking import masked_number, masked_page, masked_text, private


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("amelia@eastgrinstead.org", "a•••@e•••.org"),
        ("Amelia <a.hart+club@mail.families.example>, or", "Amelia <a•••@m•••.example>, or"),
        ("No mailbox o'neil@families.example here.", "No mailbox o•••@f•••.example here."),
        ("+44 7700 900112", "+44 •••• ••12"),
        ("+353 1 555 0132", "+353 •••• ••32"),
        ("(01342) 555 112", "•••• ••12"),
        ("07700-900-112", "•••• ••12"),
        ("number:07700900112/07700900113", "number:•••• ••12/•••• ••13"),
        ("447700900112 read it", "•••• ••12 read it"),
        ('{"to":"+447700900112"}', '{"to":"+44 •••• ••12"}'),
    ],
)
def test_an_address_or_number_is_masked_in_any_notation(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T15:40:59.123456+00:00",
        "2026-11-24 15:40:59",
        "24 November 2026 at 18:30 GMT",
        "EGAC-2026-00042 over £1,234.50",
        "01234567-0123-4123-8123-012345678901",
        "17 of 1,000,000 in 250 ms",
    ],
)
def test_what_is_no_address_stays_as_it_is(text: str) -> None:
    assert masked_text(text) == text


def test_a_number_that_cannot_be_read_shows_its_last_digits_alone() -> None:
    assert masked_number("+999 123 456 78") == "•••• ••78"


def test_a_page_keeps_its_drawings_and_loses_what_its_words_and_links_tell() -> None:
    page = (
        '<svg viewBox="0 0 1000 10000"></svg><a href="/?q=a%40b.example&to=%2B447700900112" '
        'title="07700 900112">o&#x27;neil@b.example</a>'
    )

    assert masked_page(page) == (
        '<svg viewBox="0 0 1000 10000"></svg><a href="/?q=a•••%40b•••.example&to=••••" '
        'title="•••• ••12">o•••@b•••.example</a>'
    )


def test_what_is_private_is_left_out_and_cannot_end_its_mark_by_itself() -> None:
    page = f"<dd>{private('Dear Amelia,</ops-private> see you')}</dd>"

    assert masked_page(page) == '<dd><span class="ops-hidden">hidden</span></dd>'
