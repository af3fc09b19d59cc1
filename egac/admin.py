"""What every page of the admin says, and the pages of the ground's own tables."""

from collections import Counter
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import ManyToManyField, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from egac.channels import NAMES, Channel, explain, name_in_words, pause, resume
from egac.console.actions import ActingAdmin, Line, Press, StaffAction
from egac.console.dashboard import register_panel
from egac.console.editing import EditingAdmin, SeenForm
from egac.console.failures import FailureAdmin
from egac.console.models import Failure, LoggedAction, Person, Role
from egac.console.outgoing import TONES_OF_OUTCOMES
from egac.console.pages import buttons_of
from egac.console.panels import PANELS
from egac.console.people import PersonAdmin
from egac.console.rates import calls_a_second, whose_rate
from egac.console.records import ListAdmin, RecordAdmin, WhenFilter, badge, moment, took
from egac.console.roles import RoleAdmin
from egac.console.search import SearchedAdmin
from egac.console.secrets import SecretUseAdmin
from egac.console.staff_actions import LoggedActionAdmin
from egac.console.suppressions import SuppressionAdmin
from egac.delivery import MessageAudit, Suppression
from egac.explain import what_happened
from egac.people import asked_in
from egac.secret_use import SecretUse
from egac.staff import CHANGED_MEANWHILE, Changed

admin.site.register(Failure, FailureAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Role, RoleAdmin)
admin.site.register(SecretUse, SecretUseAdmin)
admin.site.register(Suppression, SuppressionAdmin)
admin.site.register(LoggedAction, LoggedActionAdmin)
for panel in PANELS:
    register_panel(panel)
admin.site.unregister([User, Group])


# Django's pair of lists shuts screen readers out, and in one list a slip unmarks all of them.
AS_BOXES: Any = {ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}


class StaffForm(SeenForm, UserChangeForm):
    """Who may sign in, and what they may do."""


@admin.register(User)
class StaffAdmin(EditingAdmin, ListAdmin, UserAdmin):
    """Who may sign in: Django's own pages, in a list like all others."""

    form = StaffForm
    sortable_by = ("username", "email")
    empty_sentence = "Who may sign in shows here. Add the first one, and give them a role."
    filter_horizontal = ()
    formfield_overrides = AS_BOXES
    fieldsets = (
        *(UserAdmin.fieldsets or ())[:-1],
        ("Important dates", {"fields": ("signed_in", "added")}),
    )
    readonly_fields = ("signed_in", "added")

    @admin.display(description="last signed in")
    def signed_in(self, user: User) -> SafeString | str:
        return moment(user.last_login)

    @admin.display(description="added")
    def added(self, user: User) -> SafeString | str:
        return moment(user.date_joined)


@admin.register(Group)
class StaffGroupAdmin(EditingAdmin, ListAdmin, GroupAdmin):
    """The groups of staff: Django's own pages, in a list like all others."""

    form = SeenForm
    empty_sentence = "Groups show here. manage.py migrate makes the three of the roles anew."
    filter_horizontal = ()
    formfield_overrides = AS_BOXES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).prefetch_related("permissions__content_type")


def where_messages_go(request: HttpRequest) -> dict[str, str]:
    """Tell every page whether messages leave this machine, and where else they can be read."""
    return {"sending_banner": sending_banner(), "inbox_url": settings.STANDIN_INBOX_URL}


def sending_banner() -> str:
    """Return what a person must know before pressing a button that sends, or ""."""
    if not settings.SENDING:
        return "Sending is switched off (SENDING=off): messages wait."
    if settings.RESEND_DRY_RUN:
        return "Dry run (RESEND_DRY_RUN): e-mails are rendered and nothing is sent."
    if urlsplit(settings.RESEND_API_URL).hostname in ("127.0.0.1", "localhost", "::1"):
        return "Nothing leaves this machine: e-mails go to a local stand-in."
    if settings.DIVERT_EMAIL_TO:
        return f"Every e-mail goes to {settings.DIVERT_EMAIL_TO} (DIVERT_EMAIL_TO)."
    return ""


PAUSE = StaffAction(
    "pause",
    "Pause",
    "egac.pause_channel",
    "Its messages wait until somebody resumes it. What is being sent right now still goes out.",
    needs_reason=True,
    reason_help="It stands in the history, for example “the provider changes its keys tonight”.",
)
RESUME = StaffAction(
    "resume",
    "Resume",
    "egac.pause_channel",
    "It sends again from now on, whatever had closed it.",
    needs_reason=True,
    reason_help="It stands in the history, for example “the provider says that all is well”.",
)


@admin.register(Channel)
class ChannelAdmin(ActingAdmin):
    """The ways out: is each open, how fast may it go, what did its provider say last."""

    staff_actions = (PAUSE, RESUME)
    list_display = ("title", "state", "rate_in_words", "state_in_words", "error_sentence")
    list_display_links = ("title",)
    fields = (*list_display, "last_heard")
    readonly_fields = fields
    empty_sentence = "A channel shows here as soon as the first message goes out on it."

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a channel, and what can be done with it."""
        channel = self.get_object(request, object_id)
        buttons = buttons_of(self, request, channel) if channel else []
        context = {**(extra_context or {}), "buttons": buttons}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="name", ordering="name")
    def title(self, channel: Channel) -> str:
        return capfirst(name_in_words(channel))

    @admin.display(description="state")
    def state(self, channel: Channel) -> SafeString:
        if channel.paused_at:
            return badge("paused", "off")
        return badge("closed", "bad") if is_closed(channel) else badge("open", "good")

    @admin.display(description="rate")
    def rate_in_words(self, channel: Channel) -> str:
        return f"{calls_a_second(channel.rate)}{whose_rate(channel)}"

    @admin.display(description="what that means")
    def state_in_words(self, channel: Channel) -> str:
        return explain(channel) if is_closed(channel) else "It sends what is due."

    @admin.display(description="last error")
    def error_sentence(self, channel: Channel) -> str:
        return what_happened(channel.last_error) or "–"

    @admin.display(description="when that was")
    def last_heard(self, channel: Channel) -> SafeString | str:
        return moment(channel.last_error_at)

    def why_not(self, action: StaffAction, row: Channel) -> str:
        if action is PAUSE:
            return "paused already" if row.paused_at else ""
        return "" if is_closed(row) or row.probing else "open already"

    def lines_of(self, action: StaffAction, rows: list[Channel]) -> list[Line]:
        return [
            Line(to=capfirst(name_in_words(row)), subject=self.state_in_words(row)) for row in rows
        ]

    def why_skipped(self, press: Press, row: Channel) -> str:
        """Return why a confirmed button leaves the channel as it is by now, or ""."""
        is_stale = press.seen[row.pk] != self.version_of(row)
        return self.why_not(press.action, row) or (CHANGED_MEANWHILE if is_stale else "")

    def version_of(self, row: Channel) -> str:
        return row.paused_at.isoformat() if row.paused_at else "not-paused"

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        skipped: Counter[str] = Counter()
        ours = []
        with transaction.atomic():
            for channel in Channel.objects.filter(pk__in=press.seen).select_for_update():
                if why := self.why_skipped(press, channel):
                    skipped[why] += 1
                    continue
                ours.append(channel)
                if press.action is PAUSE:
                    pause(channel.name, by=request.user.get_username())
                else:
                    resume(channel.name)
            self.log(request, ours, press.told(len(ours)))
        sentence = Changed(len(ours), dict(skipped)).sentence(f"{press.action.label.lower()}d")
        return (messages.WARNING if skipped else messages.SUCCESS), sentence


def is_closed(channel: Channel) -> bool:
    """Return whether the channel sends nothing now."""
    held: datetime | None = channel.held_until
    return channel.paused_at is not None or (held is not None and held > timezone.now())


class ChannelFilter(admin.SimpleListFilter):
    """By which way out. The names stand here: the table of attempts is long."""

    title = "channel"
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, NAMES[name]) for name in ("email", "whatsapp")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


@admin.register(MessageAudit)
class MessageAuditAdmin(SearchedAdmin, RecordAdmin):
    """Every attempt to send, of every message."""

    list_display = ("when", "state", "recipient", "way", "attempt", "error_sentence")
    list_display_links = ("when",)
    list_filter = ("outcome", ChannelFilter, ("at", WhenFilter))
    fields = (
        *list_display,
        "took",
        "provider",
        "provider_message_id",
        "error_message",
        "note",
        "source",
    )
    readonly_fields = fields
    search_help_text = "A whole address or number, a row's id, or the provider's id."
    sortable_by = ("when",)
    ordering = ("-at", "-pk")
    empty_sentence = "Every attempt to send a message shows here, with what came of it."

    def found_by(self, request: HttpRequest, term: str) -> Q:
        recipient = asked_in(term).number or term
        # The index of a row's attempts begins with the table.
        of_row = Q(source__in=("invites", "notifications_queue"), source_id=term)
        named = of_row | Q(provider_message_id=term)
        return named | Q(Exact(Lower("recipient"), recipient.lower()))

    @admin.display(description="when", ordering="at")
    def when(self, line: MessageAudit) -> SafeString | str:
        return moment(line.at)

    @admin.display(description="outcome", ordering="outcome")
    def state(self, line: MessageAudit) -> SafeString:
        outcome = MessageAudit.Outcome(line.outcome)
        return badge(outcome.label, TONES_OF_OUTCOMES[outcome])

    @admin.display(description="channel")
    def way(self, line: MessageAudit) -> str:
        return NAMES.get(line.channel, line.channel)

    @admin.display(description="what that means")
    def error_sentence(self, line: MessageAudit) -> str:
        error = {"code": line.error_code, "message": line.error_message}
        return what_happened(error) if line.error_code else "–"

    @admin.display(description="took")
    def took(self, line: MessageAudit) -> str:
        return took(line.duration_ms)
