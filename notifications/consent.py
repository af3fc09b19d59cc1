"""Whether a number may be written to by WhatsApp (domain.md §3): who knows its owner is asked.

An app that keeps people registers where they stand. A number of somebody who did not agree is
refused; one that nobody knows, of another program's row, is sent, and the audit says so.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from egac.numbers import DIGITS_COMPARED, in_e164
from egac.outbox import Unsendable
from notifications.payloads import whatsapp_number

OWNERS: list[str] = []
NOBODY = "SELECT NULL::text, NULL::boolean WHERE false"

REFUSED = "{number} is not written to: its owner is a customer who did not agree to WhatsApp."
UNKNOWN = "The number is of no customer, so nobody could say whether its owner agreed."


def register(owners: str) -> None:
    """Let an app answer for the numbers of its people.

    `owners` is an SQL query of two columns, a number as it is written and whether its owner agreed,
    for the numbers whose last DIGITS_COMPARED digits are one of the array `{ends}`.
    """
    OWNERS.append(owners)


def agreed_among(numbers: set[str]) -> dict[str, bool]:
    """Return for each number in E.164 that somebody knows whether its owner agreed."""
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        ends = [_end(number) for number in numbers]
        cursor.execute(_owners("%s"), [ends] * max(1, len(OWNERS)))
        return _agreed(cursor.fetchall(), numbers)


def told_with(number: str) -> str:
    """Return the SQL of `owners`, as a claim tells them, for the number of an expression."""
    ends = f"ARRAY[right(regexp_replace({number}, '[^0-9]', '', 'g'), {DIGITS_COMPARED})]"
    told = f"SELECT json_agg(json_build_array(phone, agreed)) FROM ({_owners(ends)}) AS owners"
    return f"coalesce(({told}(phone, agreed)), '[]')"


def note_on(rows: Sequence[Any]) -> None:
    """Note on each row to a number that its owner did not agree, or that nobody knows.

    What a claim told of the owners is used; of other rows all are asked about at once.
    """
    numbers = {row: number for row in rows if (number := whatsapp_number(row.payload))}
    told = {row for row, number in numbers.items() if _is_told(row, number)}
    asked = agreed_among({number for row, number in numbers.items() if row not in told})
    for row, number in numbers.items():
        agreed = _agreed(row.owners, {number}) if row in told else asked
        if number not in agreed:
            row.audit_note = UNKNOWN
        elif not agreed[number]:
            row.forbidden = REFUSED.format(number=number)


def _is_told(row: Any, number: str) -> bool:
    """Whether its claim looked for its number by the right digits; not of "0770… #5"."""
    written = re.sub("[^0-9]", "", row.recipient)
    return row.owners is not None and _end(written) == _end(number)


def _agreed(owners: Iterable[tuple[str, bool]], numbers: set[str]) -> dict[str, bool]:
    """Return which of the numbers in E.164 are among the owners', and whether one of them agreed.

    A family shares a number: who of them agreed has agreed for the number.
    """
    known: dict[str, bool] = {}
    for phone, has_agreed in owners:
        number = in_e164(phone)
        if number in numbers:
            known[number] = known.get(number, False) or has_agreed
    return known


def require(numbers: set[str]) -> None:
    """Raise Unsendable where the owner of one of the numbers in E.164 did not agree."""
    for number, has_agreed in agreed_among(numbers).items():
        if not has_agreed:
            raise Unsendable(f"{REFUSED.format(number=number)} Ask them, and note it there first.")


def _owners(ends: str) -> str:
    return " UNION ALL ".join(owners.format(ends=ends) for owners in OWNERS) or NOBODY


def _end(number: str) -> str:
    return number[-DIGITS_COMPARED:]
