"""People in the admin: a search over all apps, and for each a page of everything that happened."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from egac.console.instant import now_of
from egac.console.models import Person
from egac.console.pages import Event, RowPageAdmin, log_entries, said_by
from egac.console.reveal import reveal
from egac.people import Entry, Identity, asked_in, identity_of, search, timeline_of

EVENTS_ON_A_PAGE = 100
LONGEST_SEARCH = 200


class PersonAdmin(RowPageAdmin):
    """Somebody: found by a name, an address, a number or an id."""

    page_template = "admin/person.html"

    def get_urls(self) -> list[URLPattern]:
        view, of = self.admin_site.admin_view, "egac_person"
        return [
            path("", view(self.changelist_view), name=f"{of}_changelist"),
            path("reveal/", view(reveal), name=f"{of}_reveal"),
            path("<str:object_id>/", view(self.change_view), name=f"{of}_change"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the search, and whom it found."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        typed = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        people, has_more = search(asked_in(typed), may=request.user.has_perm)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "People",
            "person_query": typed,
            "people": [_found(person) for person in people],
            "has_more": has_more,
        }
        return TemplateResponse(request, "admin/people.html", context)

    # The page

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Person | None:
        person = identity_of(object_id, may=request.user.has_perm)
        if person is None:
            return None
        row = Person(id=object_id, name=person.name)
        row.identity = person
        return row

    def gone_sentence(self) -> str:
        return "Nobody is known by that row: it may be too old to be kept. Search again."

    def page_context(self, request: HttpRequest, row: Person) -> dict[str, Any]:
        """Show everything that happened to somebody, the newest first."""
        person = row.identity
        events, left_out = timeline_of(person, may=request.user.has_perm, now=now_of(request))
        events = sorted([*events, *_looks_at(person)], key=lambda event: event.at, reverse=True)
        first = EVENTS_ON_A_PAGE * (_page_asked(request, len(events)) - 1)
        last = min(first + EVENTS_ON_A_PAGE, len(events))
        return {
            **super().page_context(request, row),
            "person": person,
            "rows": shown_rows(person),
            "events": events[first:last],
            "first": first + 1,
            "last": last,
            "count": len(events),
            "page": first // EVENTS_ON_A_PAGE + 1,
            "after": first // EVENTS_ON_A_PAGE + 2 if last < len(events) else 0,
            "left_out": [f"{count:,} older {things}" for things, count in left_out.items()],
            "list_url": reverse("admin:egac_person_changelist"),
        }


def _page_asked(request: HttpRequest, count: int) -> int:
    text = request.GET.get("page", "")
    asked = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 1
    return max(1, min(asked, -(-count // EVENTS_ON_A_PAGE)))


def _looks_at(person: Identity) -> list[Event]:
    """Return who had this person's page revealed, and why."""
    entries = log_entries(Person, [entry.id for entry in person.entries])
    return [Event(entry.action_time, said_by(entry), "off") for entry in entries[:50]]


def shown_rows(person: Identity) -> list[Entry]:
    """Return the rows that name somebody; a message alone stands only where nothing else does."""
    named = [entry for entry in person.entries if entry.kind != "notification"]
    return named or list(person.entries[:1])


def _found(person: Identity) -> dict[str, Any]:
    first = shown_rows(person)[0]
    return {
        "name": person.name,
        "reach": ", ".join(sorted(person.addresses) + sorted(person.numbers))
        or "cannot be reached",
        "rows": ", ".join(dict.fromkeys(entry.kind for entry in shown_rows(person))),
        "url": reverse("admin:egac_person_change", args=[first.id]),
    }
