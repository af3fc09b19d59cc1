"""The roles in the admin: one page that says what each may do, and who has it."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from egac.console.records import RecordAdmin
from egac.groups import GROUPS
from egac.roles import areas

SENTENCES = {
    "Viewers": "They look at everything and change nothing. Addresses, numbers and what messages "
    "say are masked; they may reveal them on one page at a time, and the history keeps who did.",
    "Operators": "They see all of it and do the daily work: they send again, cancel, import, "
    "export, book, bill and start jobs.",
    "Managers": "They also decide for everybody: they pause channels and jobs, lift suppressions "
    "and cancel invoices; and they read what all of the staff did.",
}
MOST_NAMED = 50


class RoleAdmin(RecordAdmin):
    """The roles: a page, no rows."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="egac_role_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what each role may do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Roles",
            "roles": roles(),
            "names": list(GROUPS),
            "areas": areas(),
            "yours": yours(request.user),
        }
        return TemplateResponse(request, "admin/roles.html", context)


def roles() -> list[tuple[str, str, str]]:
    """Return each role with its sentence and who has it."""
    groups = Group.objects.filter(name__in=GROUPS).prefetch_related("user_set")
    members = {group.name: group.user_set.all() for group in groups}
    return [
        (name, SENTENCES[name], _named([user.get_username() for user in members.get(name, ())]))
        for name in GROUPS
    ]


def _named(members: list[str]) -> str:
    if not members:
        return "Nobody has it yet."
    more = f" and {len(members) - MOST_NAMED} more" if len(members) > MOST_NAMED else ""
    return f"{', '.join(sorted(members)[:MOST_NAMED])}{more}."


def yours(user: Any) -> str:
    """Return which roles somebody has, in a sentence."""
    if user.is_superuser:
        return "You are a superuser: you may do all of it."
    named = [name for name in user.groups.values_list("name", flat=True) if name in GROUPS]
    if not named:
        return "You have none of these roles. A superuser gives you one under Users."
    return f"You are one of the {' and the '.join(sorted(named))}."
