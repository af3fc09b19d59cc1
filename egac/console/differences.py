"""What changed between two texts, by lines and within them by words. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 2000  # of two passages; longer ones are shown whole, the old one and the new one
CONTEXT = 2  # unchanged lines that stay beside a change


@dataclass(frozen=True)
class Piece:
    """A part of both texts, or of one: `mark` is "del" for the old one, "ins" for the new one."""

    text: str
    mark: str = ""


def changes(old: str, new: str) -> list[Piece]:
    """Return both texts as one: without what is "ins" it is the old one, without "del" the new."""
    pieces: list[Piece] = []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    for is_equal, ours, theirs in _blocks(before, after):
        pieces += [Piece(ours)] if is_equal else _by_words(ours, theirs)
    return pieces


def shortened(pieces: Sequence[Piece]) -> list[Piece]:
    """Leave out of long unchanged passages all but the lines beside a change."""
    last = len(pieces) - 1
    return [
        piece if piece.mark else Piece(_shortened(piece.text, n == 0, n == last))
        for n, piece in enumerate(pieces)
    ]


def _shortened(text: str, is_first: bool, is_last: bool) -> str:
    lines = text.splitlines(keepends=True)
    head, tail = (0 if is_first else CONTEXT), (0 if is_last else CONTEXT)
    if len(lines) <= head + tail + 1:
        return text
    return "".join([*lines[:head], "…\n", *lines[len(lines) - tail :]])


def _by_words(old: str, new: str) -> Iterator[Piece]:
    before, after = WORD.findall(old), WORD.findall(new)
    if len(before) + len(after) > MOST_WORDS:
        before, after = [old], [new]
    for is_equal, ours, theirs in _blocks(before, after):
        if is_equal:
            yield Piece(ours)
            continue
        yield from (Piece(text, mark) for text, mark in ((ours, "del"), (theirs, "ins")) if text)


def _blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        yield kind == "equal", "".join(before[start:end]), "".join(after[new_start:new_end])
