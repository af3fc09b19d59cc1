"""What staff did, over every table: one list, searched by who, what, to which row, and why."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import DELETION
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from egac.console.confirming import REASON
from egac.console.models import LoggedAction
from egac.console.records import RecordAdmin, WhenFilter, moment
from egac.console.search import SearchedAdmin
from egac.search import Words, with_words

MAY_LIST = "egac.list_loggedaction"
WORDS_OF_AN_ACTION = Words("object_repr", "change_message")


class LoggedActionAdmin(SearchedAdmin, RecordAdmin):
    """The log of the admin, the newest first: a list, and nothing that could be changed."""

    list_display = ("when", "who", "what", "why", "row")
    list_display_links = None
    list_filter = (("action_time", WhenFilter),)
    list_select_related = ("user", "content_type")
    search_help_text = (
        "A whole user name, or the beginnings of words of what was done, to which row, and why."
    )
    ordering = ("-action_time", "-pk")
    empty_sentence = "What staff do shows here: who did it, what, to which row, and why."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="egac_loggedaction_changelist")]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(MAY_LIST))

    def found_by(self, request: HttpRequest, term: str) -> Q:
        who = get_user_model().objects.filter(username=term).first()
        return Q(user=who) if who else with_words(term, WORDS_OF_AN_ACTION)

    @admin.display(description="when", ordering="action_time")
    def when(self, entry: LoggedAction) -> SafeString | str:
        return moment(entry.action_time)

    @admin.display(description="who", ordering="user__username")
    def who(self, entry: LoggedAction) -> str:
        return entry.user.get_username()

    @admin.display(description="what")
    def what(self, entry: LoggedAction) -> str:
        return entry.get_change_message().partition(REASON)[0] or entry.get_action_flag_display()

    @admin.display(description="why")
    def why(self, entry: LoggedAction) -> str:
        return entry.get_change_message().partition(REASON)[2] or "–"

    @admin.display(description="to what")
    def row(self, entry: LoggedAction) -> SafeString | str:
        url = entry.get_admin_url() if entry.object_id and entry.action_flag != DELETION else None
        if not url:
            return entry.object_repr
        return format_html('<a href="{}">{}</a>', url, entry.object_repr)
