"""What a page hides from who may not see addresses. Pure.

An address or number is known by its form, so it is found wherever it stands: in a column, in an
error's words, in a log. What has no form of its own, a message's body or a postal address, is
marked as private by whoever writes the page. In doubt a figure is masked: it does no harm.
"""

import re
from typing import Any

import phonenumbers
from django.utils.html import format_html
from django.utils.safestring import SafeString

DOT = "•"
SHOWN_DIGITS = 2

# In a page an apostrophe is written as a reference, and in an address of the web the @ as %40.
ADDRESS = re.compile(
    r"(?P<first>\w)(?:[\w.+'’%-]|&#x27;|&amp;){0,63}(?P<at>@|%40)"
    r"(?P<host>\w)[\w-]*(?:\.[\w-]+)*(?P<last>\.\w+)"
)
BETWEEN = r"[ \xa0./()-]{0,3}"
NUMBER = re.compile(
    # Not within a word, an amount or a time, and neither a date nor the start of a row's id.
    r"(?<![\w@+])(?<!\d[.,:-])(?!\d{4}-\d\d-\d\d)"
    rf"(?:\+\(?\d(?:{BETWEEN}\d){{6,14}}|\(?0(?:{BETWEEN}\d){{8,14}}|\(?\d(?:{BETWEEN}\d){{9,14}})"
    r"(?![\w@])(?!-[0-9a-f]{4}-)"
)
TAG = re.compile(r"(<[^>]*>)")
IN_A_LINK = re.compile(r"(?<==)(?:%2B|\+|0)\d(?:[\d+.-]|%20|%28|%29){7,24}")
READ_ALOUD = re.compile(r'(\s(?:title|value|alt|aria-label|placeholder)=")([^"]*)(")')
PRIVATE = re.compile(r"<ops-private>.*?</ops-private>", re.DOTALL)
IN_ITS_PLACE = '<span class="ops-hidden">hidden</span>'


def private(value: Any) -> SafeString:
    """Mark what only who may see addresses may read."""
    return format_html("<ops-private>{}</ops-private>", value)


def masked_address(address: str) -> str:
    """Return an address, or a text with several, so that colleagues can tell two apart."""
    # A long text without any is not looked through letter by letter.
    has_one = "@" in address or "%40" in address
    return ADDRESS.sub(_short_address, address) if has_one else address


def masked_number(number: str) -> str:
    """Return a number as its country, where it names one, and its last digits."""
    end = re.sub(r"\D", "", number)[-SHOWN_DIGITS:]
    return f"{_country_of(number)}{DOT * 4} {DOT * 2}{end}"


def masked_text(text: str) -> str:
    """Return a text with every address and number in it masked."""
    return NUMBER.sub(_short_number, masked_address(text))


def masked_page(html: str) -> str:
    """Return a page without what is private, and with every address and number in it masked."""
    parts = TAG.split(PRIVATE.sub(IN_ITS_PLACE, html))
    return "".join(_masked_tag(part) if part[:1] == "<" else masked_text(part) for part in parts)


def _masked_tag(tag: str) -> str:
    """Mask a tag: numbers only where they are read or asked for, for sizes are digits too."""
    return READ_ALOUD.sub(
        lambda found: f"{found[1]}{NUMBER.sub(_short_number, found[2])}{found[3]}",
        IN_A_LINK.sub(DOT * 4, masked_address(tag)),
    )


def _short_address(found: re.Match[str]) -> str:
    return f"{found['first']}{DOT * 3}{found['at']}{found['host']}{DOT * 3}{found['last']}"


def _short_number(found: re.Match[str]) -> str:
    return masked_number(found[0])


def _country_of(number: str) -> str:
    try:
        return f"+{phonenumbers.parse(number).country_code} "
    except phonenumbers.NumberParseException:
        return ""
