"""The search box of a list: the beginnings of words, or a whole address, number or id."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from egac.console.records import ListAdmin
from egac.search import keys_of

LARGEST_ID = 2**63 - 1


class SearchedAdmin(ListAdmin):
    """A list that is searched through indexes, whatever is typed."""

    search_fields = ("pk",)  # for the box alone: `found_by` says what is searched

    def found_by(self, request: HttpRequest, term: str) -> Q:
        """Return the condition of the rows that this finds; it is never empty."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace("\0", " ").strip()
        if not term:
            return queryset, False
        found = self.found_by(request, term)
        keys = keys_of(self.model._base_manager.filter(found))
        return queryset.filter(Q(pk__in=keys) if isinstance(keys, list) else found), False


def number_in(term: str, *, largest: int = LARGEST_ID) -> int | None:
    """Return the id that was typed, or None where it is none that a row can have."""
    is_number = term.isascii() and term.isdecimal() and len(term) <= len(str(largest))
    return int(term) if is_number and int(term) <= largest else None


def uuid_in(term: str) -> UUID | None:
    """Return the id that was typed, or None."""
    try:
        return UUID(term) if len(term) == 36 else None
    except ValueError:
        return None
