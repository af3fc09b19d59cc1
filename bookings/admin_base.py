"""What the admins of bookings share: one-line boxes, who acts, a page left open does no harm."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.widgets import AdminTextInputWidget, RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from bookings.booking import Refused
from egac.console.pages import EditedAdmin
from egac.console.search import SearchedAdmin
from egac.staff import Seen, instant_of

TONES_OF_STATUS = {
    "pending": "waiting",
    "confirmed": "good",
    "cancelled": "off",
    "scheduled": "waiting",
    "completed": "good",
    "active": "good",
    "overdue_grace": "moving",
    "overdue_locked": "bad",
    "expected": "waiting",
    "attended": "good",
    "missed": "bad",
}


class BookingsAdmin(SearchedAdmin, EditedAdmin):
    """Rows of bookings: added and changed by hand, and acted upon by the verbs of the app."""

    formfield_overrides = {models.TextField: {"widget": AdminTextInputWidget}}

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Let a box search and add another row; that row's own page is the place to change it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_change_related = field.widget.can_view_related = False
        return field

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Tell what a verb refused although the form found nothing wrong a moment before."""
        try:
            return super().changeform_view(request, object_id, *args, **kwargs)
        except Refused as refusal:
            messages.warning(request, f"Nothing was changed. {refusal}")
            return HttpResponseRedirect(self.url_of("changelist"))

    def version_of(self, row: Any) -> str:
        changed_at: datetime = row.updated_at
        return changed_at.isoformat()

    def save_changes(self, obj: Any, form: Any) -> None:
        """Write what was typed and nothing else; the form holds the row locked, as it was seen."""
        typed = {name: form.cleaned_data[name] for name in form.changed_data}
        type(obj).objects.filter(pk=obj.pk).update(**typed, updated_at=Now())


def count_of(rows: QuerySet[Any], *, by: str) -> Coalesce:
    """Return how many of the rows point by that name at a row of the list; asked for those shown
    alone, however long the list is."""
    theirs = rows.order_by().filter(**{by: OuterRef("pk")}).values(by)
    return Coalesce(Subquery(theirs.annotate(count=Count("pk")).values("count")), 0)


def actor_of(request: HttpRequest) -> str:
    """Return who acts, as histories name them."""
    return request.user.get_username()


def seen_of(shown: dict[Any, str]) -> Seen:
    """Return when each row had last changed as the page showed it."""
    return {key: instant_of(version) for key, version in shown.items()}
