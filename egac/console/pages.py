"""A page for each row: where it stands, its buttons, what is known of it, and what happened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import quote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from egac.console.actions import ActingAdmin, StaffAction
from egac.console.editing import EditingAdmin
from egac.console.records import RecordAdmin
from egac.groups import GROUPS, may

MOST_EVENTS = 200


@dataclass(frozen=True)
class Event:
    """One line of a row's timeline."""

    at: datetime
    what: str
    tone: str
    details: str = ""
    url: str = ""  # of what it is about


@dataclass(frozen=True)
class Link:
    """A link beside the buttons of a page."""

    label: str
    url: str


def person_link(kind: str, key: Any) -> Link:
    """Return the link to everything that happened to who a row names."""
    return Link("The whole person", reverse("admin:egac_person_change", args=[f"{kind}-{key}"]))


def buttons_of(page: ActingAdmin, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
    """Return what this person can do with a row, as its page shows it."""
    return [
        {"label": each.label, "url": page.url_of(each.name), "is_drastic": each.is_drastic}
        for each in page.permitted(request)
        if not page.why_not(each, row)
    ]


def for_other_roles(page: ActingAdmin, request: HttpRequest, row: Any) -> str:
    """Return in a sentence which buttons this row has for other roles alone, or ""."""
    own = page.permitted(request)
    others = [
        each for each in page.staff_actions if each not in own and not page.why_not(each, row)
    ]
    if not others:
        return ""
    labels = get_text_list([each.label for each in others], "or")
    return f"Your role may not press {labels} here. {_roles_that_may(others)} may."


def _roles_that_may(actions: Sequence[StaffAction]) -> str:
    needed = {each.permission for each in actions}
    able = [
        name for name, has in GROUPS.items() if all(may(has, *each.split(".")) for each in needed)
    ]
    return get_text_list(able, "and")


@dataclass(frozen=True)
class Table:
    """Rows of others on a page; `empty` is the sentence that stands there while there is none."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str

    @property
    def lines(self) -> list[list[tuple[str, Any]]]:
        """Return each row as pairs of a header and its cell, as a phone shows them."""
        return [list(zip(self.headers, cells, strict=True)) for cells in self.rows]


class RowPageAdmin(RecordAdmin):
    """Rows with a page each, on which nothing can be edited."""

    page_template: str

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the page of a row."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if row is None:
            messages.warning(request, self.gone_sentence())
            changelist = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(changelist))
        return TemplateResponse(request, self.page_template, self.page_context(request, row))

    def gone_sentence(self) -> str:
        """Return what is said where the address names no row."""
        return f"There is no such {self.opts.verbose_name}."

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the template shows of a row; a subclass adds to it."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row),
            "row": row,
        }


class PageAdmin(RowPageAdmin, ActingAdmin):
    """Such rows with staff actions, and all that is told of each in one shape."""

    page_template = "admin/record.html"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the template shows of a row."""
        return {
            **super().page_context(request, row),
            "state": self.state(row),
            "sentence": self.state_in_words(row),
            "facts": self.facts(row),
            "notes": self.notes(row),
            "tables": self.tables(row),
            "timeline": self.timeline(row),
            "links": self.links(request, row),
            "buttons": buttons_of(self, request, row),
            "for_other_roles": for_other_roles(self, request, row),
            "list_url": self.url_of("changelist"),
            "history_url": self.url_of("history", quote(row.pk)),
        }

    def state(self, row: Any) -> SafeString:
        """Return where the row stands, as a badge."""
        raise NotImplementedError

    def state_in_words(self, row: Any) -> str:
        """Return where the row stands and what comes next, as a sentence."""
        raise NotImplementedError

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what the page says of the row, name by name."""
        raise NotImplementedError

    def notes(self, row: Any) -> list[str]:
        """Return what a person should know before acting on this row."""
        return []

    def tables(self, row: Any) -> list[Table]:
        """Return the rows of others that stand on this page."""
        return []

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """Return the links that stand beside the buttons."""
        return []

    def timeline(self, row: Any) -> list[Event]:
        """Return what happened to the row, the oldest first."""
        events = [*self.milestones(row), *staff_actions_on(row)]
        return sorted(events, key=lambda event: event.at)

    def milestones(self, row: Any) -> Iterator[Event]:
        """Yield what happened to the row itself, in any order."""
        raise NotImplementedError


class EditedAdmin(EditingAdmin, PageAdmin):
    """Rows with a page each, added and changed by hand on a form behind it; never deleted."""

    def get_urls(self) -> list[URLPattern]:
        edit = path(
            "<path:object_id>/edit/",
            self.admin_site.admin_view(self.edit_view),
            name=self.url_name("edit"),
        )
        return [edit, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")
        return bool(may) and not (obj is not None and self.why_not_edited(obj))

    def why_not_edited(self, row: Any) -> str:
        """Return why the row stays as it is, or ""."""
        return ""

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form of a row, or save it."""
        if not self.has_change_permission(request, self.get_object(request, object_id)):
            raise PermissionDenied
        return self.changeform_view(request, object_id)

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        if not self.has_change_permission(request, row):
            return []
        return [Link("Change", self.url_of("edit", quote(row.pk)))]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was typed and nothing else: the rest may have changed meanwhile."""
        obj.save(update_fields=form.changed_data) if change else obj.save()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer one way to save: it leads to the page of the row."""
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, {**context, **one_way}, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"{obj} was added.")
        return HttpResponseRedirect(self.url_of("change", quote(obj.pk)))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, f"{obj} was changed.")
        return HttpResponseRedirect(self.url_of("change", quote(obj.pk)))


def staff_actions_on(row: Any) -> Iterator[Event]:
    """Yield what staff did with the row in the admin, the latest MOST_EVENTS."""
    for entry in log_entries(type(row), [row.pk])[:MOST_EVENTS]:
        yield Event(entry.action_time, said_by(entry), "off")


def staff_actions_on_all(model: type[Model], keys: Iterable[Any]) -> Iterator[Event]:
    """Yield what staff did with these rows, the latest MOST_EVENTS, each naming its row."""
    for entry in log_entries(model, keys)[:MOST_EVENTS]:
        url = entry.get_admin_url() or ""
        yield Event(entry.action_time, said_by(entry), "off", entry.object_repr, url)


def log_entries(model: type[Model], keys: Iterable[Any]) -> QuerySet[LogEntry]:
    """Return the staff actions on these rows, the latest first."""
    kind = ContentType.objects.get_for_model(model)
    entries = LogEntry.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
    return entries.select_related("user", "content_type").order_by("-action_time")


def said_by(entry: LogEntry) -> str:
    """Return who did what."""
    return f"{entry.user.get_username()}: {entry.get_change_message()}"
