"""What changed between two texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egac.console.differences import Piece, changes, shortened

texts = st.text(alphabet="ab .\n", max_size=60)


@settings(deadline=None, max_examples=200)
@given(old=texts, new=texts)
def test_both_texts_are_whole_in_their_differences(old: str, new: str) -> None:
    pieces = changes(old, new)

    assert "".join(piece.text for piece in pieces if piece.mark != "ins") == old
    assert "".join(piece.text for piece in pieces if piece.mark != "del") == new


def test_a_change_is_told_word_by_word() -> None:
    pieces = changes("Pay £42.00 by Friday.\nThanks", "Pay £30.00 by Friday.\nThanks")

    assert [(piece.text, piece.mark) for piece in pieces if piece.mark] == [
        ("42", "del"),
        ("30", "ins"),
    ]


def test_the_same_text_has_no_changes() -> None:
    assert all(not piece.mark for piece in changes("One\nTwo", "One\nTwo"))


def test_long_passages_are_shown_whole_and_not_word_by_word() -> None:
    old, new = "a " * 2000, "b " * 2000

    assert changes(old, new) == [Piece(old, "del"), Piece(new, "ins")]


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_of_many_unchanged_lines_only_those_beside_a_change_stay(place: str) -> None:
    lines = [f"line {number}\n" for number in range(30)]
    at = {"start": 0, "middle": 15, "end": 29}[place]
    changed = [*lines[:at], "other\n", *lines[at + 1 :]]

    shown = "".join(piece.text for piece in shortened(changes("".join(lines), "".join(changed))))

    assert "…\n" in shown
    assert "other" in shown
    assert len(shown.splitlines()) < 12
