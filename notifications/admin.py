"""Notifications in the admin: what waits, what went wrong, the buttons that help; its workers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from egac.console.actions import Line, Press, StaffAction
from egac.console.causes import CauseFilter
from egac.console.outgoing import ErrorFilter, Mail, OutgoingAdmin, ReasonFilter
from egac.console.pages import Link, person_link
from egac.console.records import RecordAdmin, badge, moment
from egac.console.search import SearchedAdmin, number_in
from egac.delivery import not_written_to, suppressed_among
from egac.explain import clock
from egac.people import MOST_NAMED, asked_in, reached_by_name
from egac.providers import Sender
from egac.providers.resend import EMAIL
from egac.providers.whatsapp import WHATSAPP
from egac.retry import Reason
from egac.search import any_of
from egac.staff import Changed, instant_of
from notifications import admin_buttons as buttons
from notifications import staff
from notifications.admin_filters import ChannelFilter, TypeFilter
from notifications.catalogue import title_of
from notifications.heartbeat import a_minute
from notifications.models import Notification, Sample, Worker
from notifications.preview import preview_html, preview_list

Status = Notification.Status

TONES: dict[str, str] = {
    Status.PENDING: "waiting",
    Status.PROCESSING: "moving",
    Status.COMPLETED: "good",
    Status.FAILED: "bad",
    Status.CANCELLED: "off",
}
LARGEST_ID = 2**31 - 1
MANY_SO_CALLED = (
    f"Many people are called so: these are the messages to {MOST_NAMED} customers and {MOST_NAMED} "
    "enquirers among them. Type more of the name."
)
ALIVE_FOR = timedelta(minutes=1)


@admin.register(Notification)
class NotificationAdmin(SearchedAdmin, OutgoingAdmin):
    """Queued messages: a list by state, a record for each, and three buttons."""

    staff_actions = (buttons.RETRY, buttons.CANCEL, buttons.RESCHEDULE)
    senders: ClassVar[Any] = {"email": EMAIL, "whatsapp": WHATSAPP}
    tones = TONES
    correction = "queue a corrected one in its place: a queued message keeps what it says"
    list_display = (
        "id",
        "about",
        "to",
        "way",
        "state",
        "attempts_made",
        "scheduled",
        "error_sentence",
    )
    list_display_links = ("id", "about")
    list_filter: ClassVar[Any] = (
        "status",
        ChannelFilter,
        TypeFilter,
        ReasonFilter,
        ErrorFilter,
        CauseFilter,
    )
    sortable_by = ("id",)
    ordering: ClassVar[Any] = ("-pk",)
    search_help_text = (
        "The beginnings of a customer's or enquirer's name, a whole address or number, or an id."
    )
    empty_sentence = "Messages show here as soon as one is queued, each with its state."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return staff.as_they_stand().order_by(*self.ordering)

    def found_by(self, request: HttpRequest, term: str) -> Q:
        reached, has_more = reached_by_name(term, may=request.user.has_perm)
        if has_more:
            messages.info(request, MANY_SO_CALLED)
        to_them = Notification.objects.to_any_of([*reached, asked_in(term).number or term])
        as_id = number_in(term, largest=LARGEST_ID)
        if as_id is None:
            return Q(pk__in=to_them.values("pk"))
        return any_of(to_them, Notification.objects.filter(pk=as_id))

    # The columns

    @admin.display(description="type", ordering="type")
    def about(self, row: Notification) -> str:
        return title_of(row.type)

    @admin.display(description="recipient")
    def to(self, row: Notification) -> str:
        return row.recipient or "nobody"

    @admin.display(description="channel")
    def way(self, row: Notification) -> str:
        return buttons.channel_in_words(row)

    @admin.display(description="scheduled", ordering="due_at")
    def scheduled(self, row: Notification) -> SafeString | str:
        return self.next_try(row) if row.wait else moment(row.due_at)

    # Why it has not gone

    def sender_of(self, row: Notification) -> Sender:
        return WHATSAPP if row.is_whatsapp else EMAIL

    def who_sends(self, now: datetime) -> tuple[str, str]:
        return "the worker", staff.why_nobody_sends(now)

    def why_unsent(self, rows: Sequence[Any], now: datetime) -> dict[Any, str]:
        over = {
            row.pk: f"it was of use until {clock(row.expires_at, now)}"
            for row in rows
            if row.expires_at and row.expires_at <= now
        }
        return super().why_unsent(rows, now) | over

    # The record

    def facts(self, row: Notification) -> list[tuple[str, Any]]:
        facts = [
            ("Type", f"{title_of(row.type)} ({row.type})"),
            ("Recipient", self.to(row)),
            ("Channel", self.way(row)),
            ("Attempts", self.attempts_made(row)),
            ("Scheduled", self.brief(row.wait) if row.wait else moment(row.due_at)),
            ("Of use until", moment(row.expires_at)),
            ("Created", moment(row.created_at)),
            ("Sent", moment(row.sent_at)),
        ]
        return [
            *facts,
            *buttons.whatsapp_facts(row),
            ("Payload", buttons.payload_shown(row.payload)),
        ]

    def links(self, request: HttpRequest, row: Notification) -> list[Link]:
        return [person_link("notification", row.pk)] if row.recipient else []

    def notes(self, row: Notification) -> list[str]:
        notes = []
        if row.in_doubt_since:
            notes.append("Perhaps it arrived already: nobody knows yet what the provider did.")
        if why := suppressed_among({row.recipient}).get(row.recipient.lower()):
            notes.append(not_written_to(row.recipient, why))
        Notification.look_up([row])
        return [*notes, row.forbidden] if row.forbidden else notes

    def state_in_words(self, row: Notification) -> str:
        if row.wait:
            return super().state_in_words(row)
        if row.status == Status.FAILED and row.reason is None:
            return "Failed in another program. Press Retry now to send it."
        if row.status == Status.FAILED and row.reason == Reason.INVALID:
            return "Failed: it cannot be sent as it is. Queue a corrected one in its place."
        return super().state_in_words(row)

    def is_dry_run(self) -> bool:
        return bool(settings.RESEND_DRY_RUN)

    def mail_of(self, row: Notification) -> Mail:
        if row.is_whatsapp:
            return Mail("It goes by WhatsApp: the details above hold its template and variables.")
        return super().mail_of(row)

    def masked(self, row: Notification, message: dict[str, Any]) -> dict[str, Any]:
        """Shorten every link: who has one can act in its recipient's name."""
        return {
            name: buttons.without_links(value) if isinstance(value, str) else value
            for name, value in message.items()
        }

    # The buttons

    def why_not(self, action: StaffAction, row: Notification) -> str:
        return buttons.why_not(action, row)

    def lines_of(self, action: StaffAction, rows: list[Notification]) -> list[Line]:
        is_moved = action is buttons.RESCHEDULE
        unsent = self.why_unsent(rows, timezone.now()) if is_moved else {}
        return [buttons.line_of(row, unsent.get(row.pk, "")) for row in rows]

    def version_of(self, row: Notification) -> str:
        return row.updated_at.isoformat()

    def form_of(
        self, action: StaffAction, keys: Sequence[Any], data: Any
    ) -> buttons.TimeForm | None:
        is_about_time = action is buttons.RESCHEDULE
        return buttons.TimeForm(data, now=timezone.now()) if is_about_time else None

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        seen = {key: instant_of(version) for key, version in press.seen.items()}
        with transaction.atomic():
            changed, did, logged = buttons.do(press.action, seen, press.typed)
            rows = Notification.objects.filter(pk__in=changed.ids)
            self.log(request, rows, press.told(changed.changed, logged))
        if press.action is buttons.RETRY:
            return self.send_now(request, changed)
        sentence = changed.sentence(did)
        is_all = changed.changed and not changed.skipped
        return (messages.SUCCESS if is_all else messages.WARNING), sentence

    def send_now(self, request: HttpRequest, changed: Changed) -> tuple[int, str]:
        """Leave what is due to the worker, and say so where none is about."""
        sentence = changed.sentence(buttons.are_due(changed.changed))
        nobody = staff.why_nobody_sends(timezone.now())
        if changed.changed and nobody:
            return messages.WARNING, f"{sentence} But {nobody}."
        is_all = changed.changed and not changed.skipped
        return (messages.SUCCESS if is_all else messages.WARNING), sentence


@admin.register(Worker)
class WorkerAdmin(RecordAdmin):
    """Who sends: loops that live or lived, and the passes of cron."""

    fields = readonly_fields = ("name", "kind", "state", "started", "seen", "stopped", "recorded")
    list_display = (*fields, a_minute)
    list_display_links = None
    list_filter = ("kind",)
    ordering = ("-seen_at", "pk")
    empty_sentence = (
        "Workers show here as soon as one runs. Whoever runs the server starts one: "
        "manage.py run_worker_queue --loop."
    )

    @admin.display(description="state")
    def state(self, worker: Worker) -> SafeString:
        if worker.stopped_at:
            return badge("stopped in good order", "off")
        if worker.seen_at > timezone.now() - ALIVE_FOR:
            return badge("alive", "good")
        return badge("silent: it was killed, or it hangs", "bad")

    @admin.display(description="started", ordering="started_at")
    def started(self, worker: Worker) -> SafeString | str:
        return moment(worker.started_at)

    @admin.display(description="last seen", ordering="seen_at")
    def seen(self, worker: Worker) -> SafeString | str:
        return moment(worker.seen_at)

    @admin.display(description="stopped", ordering="stopped_at")
    def stopped(self, worker: Worker) -> SafeString | str:
        return moment(worker.stopped_at)


@admin.register(Sample)
class SampleAdmin(RecordAdmin):
    """Every type of message with sample data: a page, no rows."""

    def get_urls(self) -> list[URLPattern]:
        view, of = self.admin_site.admin_view, "notifications_sample"
        return [
            path("", view(self.changelist_view), name=f"{of}_changelist"),
            path("<str:type>/", view(self.email), name=f"{of}_email"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return preview_list(request)

    def email(self, request: HttpRequest, type: str) -> HttpResponse:
        """Answer with one type's e-mail, for a sandboxed frame."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return preview_html(request, type)
