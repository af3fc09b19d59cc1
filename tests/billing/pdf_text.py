"""Read the text of a PDF of ours back: each shown string by the letters that its font names."""

import re
import zlib
from collections.abc import Iterator

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
STREAM = re.compile(rb"stream\n(.*)\nendstream", re.DOTALL)
FONTS = re.compile(rb"/(F\d+) (\d+) 0 R")
LETTER = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
ESCAPES = {b"r": b"\r", b"n": b"\n"}


def text_of(pdf: bytes) -> str:
    """Return every string that the pages show, a line each."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    fonts = {
        name: letters_of(objects, int(number))
        for body in objects.values()
        for name, number in FONTS.findall(body)
    }
    pages = [_stream(body) for body in objects.values() if b"FlateDecode" in body]
    return "\n".join(text for page in pages if b" Tj " in page for text in _shown(page, fonts))


def letters_of(objects: dict[int, bytes], font: int) -> dict[bytes, str]:
    """Return the letter of each code of a font."""
    found = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    assert found
    table = _stream(objects[int(found[1])])
    return {
        bytes.fromhex(code.decode()): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for code, letter in LETTER.findall(table)
    }


def _stream(body: bytes) -> bytes:
    found = STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]


def _shown(page: bytes, fonts: dict[bytes, dict[bytes, str]]) -> Iterator[str]:
    letters: dict[bytes, str] = {}
    for font, string in SHOWN.findall(page):
        if font:
            letters = fonts[font]
            continue
        codes = ESCAPED.sub(lambda found: ESCAPES.get(found[1], found[1]), string)
        yield "".join(letters[codes[at : at + 2]] for at in range(0, len(codes), 2))
