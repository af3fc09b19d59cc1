"""What every list and page of records shares: read-only, few queries, times and states in words."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from egac.console.masking import sees_addresses
from egac.console.paging import CappedList, CappedPaginator
from egac.explain import day_and_clock

# A state is told by its word, by the shape before it and by its colour.
SHAPES = {
    "waiting": "○",
    "moving": "◐",
    "good": "✓",
    "best": "★",
    "bad": "✕",
    "off": "–",
}

# What ends so is an address or a number; a name that begins with = is looked for as a whole.
REACHED_BY = ("email", "phone", "recipient", "address")


def badge(word: str, tone: str) -> SafeString:
    """Return a state as shape and word; `tone` is one of SHAPES."""
    return format_html(
        '<span class="ops-state ops-{}"><span class="ops-shape" aria-hidden="true">{}</span>'
        "{}</span>",
        tone,
        SHAPES[tone],
        word,
    )


def moment(instant: datetime | None) -> SafeString | str:
    """Return an instant relative to now; the exact one, with its zone, shows on hover."""
    if instant is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        instant.isoformat(),
        day_and_clock(instant),
        # Its hard spaces would keep a narrow column from breaking the line.
        naturaltime(instant).replace("\xa0", " "),
    )


def took(milliseconds: int | None) -> str:
    """Return how long a call took."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


class WhenFilter(admin.DateFieldListFilter):
    """A filter by date under a name that staff understand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


class ListAdmin(admin.ModelAdmin):
    """A list that stays quick, and says what would be here while it is empty."""

    list_per_page = list_max_show_all = 50
    paginator = CappedPaginator
    # A column sorts only where an index serves it: a list names those that do.
    sortable_by: ClassVar[Any] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_sentence: str  # what would be here, and where it comes from
    empty_value_display = "–"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CappedList]:
        return CappedList

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Return where a search looks: letter by letter it would tell an address that is masked."""
        names = [str(name) for name in super().get_search_fields(request)]
        if sees_addresses(request):
            return names
        return [f"={name}" if name.endswith(REACHED_BY) else name for name in names]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class RecordAdmin(ListAdmin):
    """Rows that are looked at and never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
