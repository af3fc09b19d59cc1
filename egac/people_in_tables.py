"""People in a table with a name, an address, a number and the time they came: found by its indexes.

The table needs an index each on `lower(email)`, on END_OF_PHONE and on the words of the name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.urls import reverse

from egac.numbers import DIGITS_COMPARED, END_OF_PHONE, in_e164
from egac.people import MOST_FOUND, Asked, Entry, asked_in
from egac.search import with_name

MOST_OF_A_NUMBER = 500  # rows whose numbers end alike


@dataclass(frozen=True)
class PeopleIn:
    """The people of one table. `by_key` finds them by what else has an id, an invite of theirs."""

    model: type[Model]
    by_key: str = ""

    @property
    def kind(self) -> str:
        return str(self.model._meta.model_name)

    @property
    def permission(self) -> str:
        return f"{self.model._meta.app_label}.view_{self.kind}"

    def search(self, asked: Asked, *, most: int = MOST_FOUND) -> list[Entry]:
        """Return whom the search finds; of a name that many share any so many of them."""
        if asked.words:
            return self._entries(self._rows().filter(with_name(" ".join(asked.words))), most)
        by_reach = self.reached_at({asked.address} - {""}, {asked.number} - {""})
        return [*self._keyed(asked.key), *by_reach]

    def reached_at(self, addresses: Iterable[str], numbers: Iterable[str]) -> list[Entry]:
        """Return who has one of these addresses or numbers, however it is written."""
        addresses, numbers = set(addresses), set(numbers)
        ends = [number[-DIGITS_COMPARED:] for number in numbers]
        if not addresses and not numbers:
            return []
        # In no order: that of the key would lead the database past the indexes.
        rows = self._rows().alias(lower_email=Lower("email"), end_of_phone=END_OF_PHONE)
        found = rows.filter(Q(lower_email__in=addresses) | Q(end_of_phone__in=ends))
        return [
            entry
            for entry in self._entries(found)
            if entry.addresses & addresses or entry.numbers & numbers
        ]

    def named(self, key: str) -> Entry | None:
        """Return the row of this key, or None."""
        return next(iter(self._entries(self._of_key("pk", key))), None)

    def _keyed(self, key: str) -> list[Entry]:
        if not key:
            return []
        names = [name for name in ("pk", self.by_key) if name]
        return [entry for name in names for entry in self._entries(self._of_key(name, key))]

    def _of_key(self, name: str, key: str) -> QuerySet[Any]:
        try:
            return self._rows().filter(**{name: key})
        except (ValueError, ValidationError):
            return self._rows().none()  # no key of this table

    def _rows(self) -> QuerySet[Any]:
        return self.model._default_manager.order_by()

    def _entries(self, rows: QuerySet[Any], most: int = MOST_FOUND) -> list[Entry]:
        return [self.entry_of(row) for row in rows[:most]]

    def entry_of(self, row: Any) -> Entry:
        """Return a row as it names somebody."""
        page = f"admin:{self.model._meta.app_label}_{self.kind}_change"
        return Entry(
            kind=self.kind,
            key=str(row.pk),
            name=row.name or "",
            email=row.email or "",
            phone=row.phone or "",
            since=row.created_at,
            page=reverse(page, args=[row.pk]),
        )


def found_among(people: QuerySet[Any], typed: str) -> Q:
    """Return the condition of the people of a name so begun, or of a whole address or number."""
    asked = asked_in(typed)
    if asked.address:
        return Q(Exact(Lower("email"), asked.address))
    if asked.number:
        return Q(pk__in=_with_number(people, asked.number))
    return with_name(typed)


def _with_number(people: QuerySet[Any], number: str) -> list[Any]:
    alike = people.order_by().filter(Exact(END_OF_PHONE, number[-DIGITS_COMPARED:]))
    phones = alike.values_list("pk", "phone")[:MOST_OF_A_NUMBER]
    return [key for key, phone in phones if in_e164(phone) == number]
