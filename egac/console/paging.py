"""Pages of a list of any length: no count and no page reads the whole table."""

from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

MOST_COUNTED = 10_000  # rows; a list ends there, and says so
MOST_AT_ONCE = 1000  # rows that one staff action takes


def page_asked(request: HttpRequest) -> int:
    """Return which page of rows is asked for; the first for what is no number."""
    text = request.GET.get("rows", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


class CappedPaginator(Paginator):
    """Pages of the first MOST_COUNTED rows."""

    @cached_property
    def counted(self) -> int:
        """How many rows there are, or one more than the most that are counted."""
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[: MOST_COUNTED + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST_COUNTED)

    @property
    def is_capped(self) -> bool:
        """Whether there are rows that no page shows."""
        return self.counted > MOST_COUNTED


class CappedList(ChangeList):
    """A list of the admin that says how long it is, as far as it was counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.is_capped = bool(getattr(self.paginator, "is_capped", False))

    @property
    def count_in_words(self) -> str:
        return f"more than {MOST_COUNTED:,}" if self.is_capped else f"{self.result_count:,}"

    @property
    def can_choose_all(self) -> bool:
        """Whether one staff action may take every row of the list."""
        return self.result_count <= MOST_AT_ONCE

    @property
    def is_last_page_of_more(self) -> bool:
        """Whether rows come after this page that only a filter or a search shows."""
        is_last: bool = self.page_num == self.paginator.num_pages
        return self.is_capped and is_last
