"""An invoice's PDF: it says every word of the document, and no letter breaks it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from billing.document import HEADINGS, Document
from billing.pdf import ABOUT_UNKNOWN, UNKNOWN, pdf_of
from tests.billing.pdf_text import text_of

CELLS = ("Junior running", "1", "£33.33", "£6.67 (20%)", "£33.33")
DOCUMENT = Document(
    number="EGAC-2026-00042",
    title="Invoice EGAC-2026-00042",
    standing="Please pay £40.00 by Friday 27 November 2026.",
    is_open=True,
    club=("East Grinstead Athletics Club", "Imberhorne Lane"),
    billed_to=("Amelia Hart", "12 High Street"),
    facts=(("Due", "Friday 27 November 2026"),),
    lines=(tuple(zip(HEADINGS, CELLS, strict=True)),),
    totals=(("Tax", "£6.67"), ("Total", "£40.00")),
    how_to_pay=("Sort code 00-00-00", "Reference: EGAC-2026-00042"),
    contact="Questions? Reply to our e-mail and we will help.",
)


def words(text: str) -> str:
    """Return the text without the line breaks of the paper."""
    return " ".join(text.split())


def text_with(name: str) -> str:
    """Return the text of the PDF for a customer of this name."""
    return words(text_of(pdf_of(replace(DOCUMENT, billed_to=(name,)))))


def test_it_says_every_word_of_the_document() -> None:
    text = words(text_of(pdf_of(DOCUMENT)))

    told = [DOCUMENT.title, DOCUMENT.standing, DOCUMENT.contact, *DOCUMENT.club, *HEADINGS, *CELLS]
    pairs = [word for pair in (*DOCUMENT.facts, *DOCUMENT.totals) for word in pair]
    for word in (*told, *pairs, *DOCUMENT.billed_to, *DOCUMENT.how_to_pay):
        assert word in text, word
    assert ABOUT_UNKNOWN not in text


@pytest.mark.parametrize(
    "name",
    ["Zoë Ångström", "Παπαδοπούλου", "Іванна Ковальчук", "Łukasz Żółć", "O’Brien & Søn", "€ 12"],
)
def test_it_shows_latin_greek_and_cyrillic_letters(name: str) -> None:
    assert name in text_with(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", UNKNOWN * 3),
        ("Ana 🎉", f"Ana {UNKNOWN}"),
        ("שלום", UNKNOWN * 4),  # the font has it, but would write it backwards
        ("محمد", UNKNOWN * 4),
    ],
)
def test_a_letter_that_it_cannot_show_is_a_box_and_the_foot_says_so(name: str, shown: str) -> None:
    text = text_with(name)

    assert shown in text
    assert ABOUT_UNKNOWN in text


def test_an_accent_of_its_own_stands_on_its_letter() -> None:
    assert "Zoë" in text_with("Zoe\u0308")


def test_marks_that_nobody_sees_are_left_out() -> None:
    text = text_with("Amelia\u200b \u202eHart\x07")

    assert "Amelia Hart" in text
    assert UNKNOWN not in text


@given(name=some.text(max_size=80))
@settings(deadline=None, max_examples=10)
def test_no_name_breaks_it(name: str) -> None:
    line = tuple(zip(HEADINGS, (name, *CELLS[1:]), strict=True))

    pdf = pdf_of(replace(DOCUMENT, billed_to=(name,), lines=(line,)))

    assert "£40.00" in text_of(pdf)


@pytest.mark.parametrize("description", ["word " * 3_000, "x" * 15_000])
def test_a_description_of_any_length_fits(description: str) -> None:
    line = tuple(zip(HEADINGS, (description, *CELLS[1:]), strict=True))

    pdf = pdf_of(replace(DOCUMENT, lines=(line,)))

    assert "£6.67 (20%)" in text_of(pdf)


def test_many_lines_go_on_over_the_pages_under_their_headings() -> None:
    pdf = pdf_of(replace(DOCUMENT, lines=DOCUMENT.lines * 90))

    text = text_of(pdf)
    pages = text.count("· page ")
    assert pages >= 3
    assert text.count("Description") == pages
    assert text.count("Junior running") == 90
    assert f"page {pages} of {pages}" in words(text)
