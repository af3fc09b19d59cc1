"""Invites in the admin: who was invited, did it arrive, and the buttons that help."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from string import hexdigits
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from egac.console.actions import Line, Press, StaffAction
from egac.console.outgoing import OutgoingAdmin
from egac.console.pages import Event, Link, person_link
from egac.console.records import moment
from egac.console.search import SearchedAdmin, uuid_in
from egac.console.widgets import SearchBox
from egac.delivery import not_written_to, suppressed_among
from egac.explain import day_and_clock, explain_error
from egac.people_in_tables import found_among
from egac.providers import NotConfigured
from egac.providers.resend import EMAIL
from egac.search import any_of, keys_of
from egac.staff import instant_of
from invites import sending, services
from invites.admin_buttons import (
    CANCEL,
    ELIGIBLE,
    RETRY,
    SEND,
    SEND_AGAIN,
    SENT_AT_ONCE,
    VERBS,
    line_of,
)
from invites.admin_enquiries import TONES, EnquiryAdmin
from invites.admin_forms import InviteForm
from invites.models import Enquiry, Invite
from invites.outcome import is_all_sent, outcome_sentence
from invites.services import Changed, Refused
from jobs.models import JobRun
from jobs.services import Start, run_job

SECONDS = 10.0
TOKEN_SHOWN = 6

admin.site.register(Enquiry, EnquiryAdmin)


@admin.register(Invite)
class InviteAdmin(SearchedAdmin, OutgoingAdmin):
    """Invites: a list by state, a record for each, and four buttons."""

    staff_actions = (RETRY, CANCEL, SEND, SEND_AGAIN)
    senders: ClassVar[Any] = {"email": EMAIL}
    tones = TONES
    correction = "correct the enquiry, then retry"
    form = InviteForm
    fields = ("enquiry",)
    list_select_related = ("enquiry",)
    list_display = (
        "recipient",
        "state",
        "attempts_made",
        "next_try",
        "error_sentence",
        "created",
        "sent",
    )
    sortable_by = ("created",)
    search_help_text = (
        "The beginnings of a name, a whole address or number, a personal link's token or "
        f"its first {TOKEN_SHOWN} characters, or an id."
    )
    empty_sentence = (
        "Invites show here, each with its state and what to do about it. Add one by hand, or "
        "import enquiries and invite them."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invite]:
        return super().get_queryset(request).select_related("enquiry")

    def found_by(self, request: HttpRequest, term: str) -> Q:
        if as_id := uuid_in(term):
            return Q(pk=as_id)
        people = Enquiry.objects.all()
        of_people = Q(enquiry__in=keys_of(people.filter(found_among(people, term))))
        if not set(term) <= set(hexdigits):
            return of_people
        # Of a token what is shown or all of it: who has it can answer in the person's name.
        is_start = len(term) == TOKEN_SHOWN
        by_token = Q(token__startswith=term.lower()) if is_start else Q(token=term)
        return any_of(Invite.objects.filter(by_token), Invite.objects.filter(of_people))

    @admin.display(description="recipient", ordering="enquiry__name")
    def recipient(self, invite: Invite) -> str:
        if invite.enquiry is None:
            return "nobody: its enquiry is gone"
        name = invite.enquiry.name or "No name"
        address = invite.recipient or "no address"
        return format_html('{}<span class="ops-second">{}</span>', name, address)

    def who_sends(self, now: datetime) -> tuple[str, str]:
        return sending.next_run(now), sending.why_no_run(now)

    # The record

    def facts(self, row: Invite) -> list[tuple[str, Any]]:
        return [
            ("Recipient", row.recipient or "no address"),
            ("Enquiry", link_to(row.enquiry)),
            ("Attempts", self.attempts_made(row)),
            ("Personal link's token", f"{row.token[:TOKEN_SHOWN]}…"),
            ("Created", moment(row.created_at)),
            ("Sent", moment(row.sent_at)),
            ("Accepted", moment(row.accepted_at)),
        ]

    def links(self, request: HttpRequest, row: Invite) -> list[Link]:
        return [person_link("enquiry", row.enquiry_id)] if row.enquiry_id else []

    def notes(self, row: Invite) -> list[str]:
        notes = []
        if row.status == Invite.Status.PENDING and row.rendered:
            message = row.message()
            if not settings.DIVERT_EMAIL_TO and row.recipient not in message["to"]:
                notes.append(
                    f"The address was changed since, but a further try still goes to "
                    f"{', '.join(message['to'])}. Cancel this invite, then retry it."
                )
        if why := suppressed_among({row.recipient}).get(row.recipient.lower()):
            notes.append(not_written_to(row.recipient, why))
        return notes

    def state_in_words(self, row: Invite) -> str:
        if row.accepted_at:
            return f"Accepted on {day_and_clock(row.accepted_at)}. There is nothing left to do."
        return super().state_in_words(row)

    def is_dry_run(self) -> bool:
        return bool(settings.RESEND_DRY_RUN)

    def milestones(self, row: Invite) -> Iterator[Event]:
        yield from super().milestones(row)
        if row.accepted_at:
            yield Event(row.accepted_at, "Accepted by the person", "best")

    def masked(self, row: Invite, message: dict[str, Any]) -> dict[str, Any]:
        """Shorten the personal link: who has it can answer in the person's name."""
        return {
            name: value.replace(row.token, f"{row.token[:TOKEN_SHOWN]}…")
            if isinstance(value, str)
            else value
            for name, value in message.items()
        }

    # Adding one

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("invites.add_invite"))

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["widget"] = SearchBox(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: Invite, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.success(
            request, f"{obj} was added. The next run sends it; Retry now sends it now."
        )
        return HttpResponseRedirect(self.url_of("change", obj.pk))

    # The buttons

    def why_not(self, action: StaffAction, row: Invite) -> str:
        return services.why_skipped(row, ELIGIBLE[action])

    def lines_of(self, action: StaffAction, rows: list[Invite]) -> list[Line]:
        return [line_of(row) for row in rows]

    def version_of(self, row: Invite) -> str:
        return row.updated_at.isoformat()

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        seen = {key: instant_of(version) for key, version in press.seen.items()}
        if press.action is SEND:
            return self.send_for_real(request, press, seen)
        changed = self.changed_by(request, press, seen)
        if press.action is CANCEL:
            level = messages.WARNING if changed.skipped else messages.SUCCESS
            return level, changed.sentence("cancelled")
        return self.send_now(request, changed)

    def changed_by(self, request: HttpRequest, press: Press, seen: services.Seen) -> Changed:
        """Do to the rows what the button does before anything is sent, and keep who did it."""
        with transaction.atomic():
            changed = VERBS[press.action](list(seen), seen=seen)
            self.log(request, self.rows(changed.ids), press.told(changed.changed))
        return changed

    def send_now(self, request: HttpRequest, changed: Changed) -> tuple[int, str]:
        """Send a few changed invites at once, leave many to the next run; tell what came of it."""
        count = changed.changed
        if not count:
            return messages.WARNING, f"Nothing was sent.{changed.rest}"
        if count > SENT_AT_ONCE:
            return messages.SUCCESS, changed.sentence("are due now: the next run sends them")
        start = Start(
            trigger=JobRun.Trigger.ADMIN,
            actor=request.user.get_username(),
            business_on=timezone.localdate(),
        )
        try:
            run = run_job("retry_invites", start, partial(retry_at_once, changed.ids))
        except NotConfigured as error:
            return messages.ERROR, f"{count} are due now and wait. {error}{changed.rest}"
        result = run.result or {}
        is_done = is_all_sent(result, chosen=count) and not changed.rest
        sentence = outcome_sentence(result, chosen=count)
        return (messages.SUCCESS if is_done else messages.WARNING), sentence + changed.rest

    def send_for_real(
        self, request: HttpRequest, press: Press, seen: services.Seen
    ) -> tuple[int, str]:
        """Send exactly one invite now."""
        invite = self.rows(tuple(seen)).first()
        if invite is None or seen[invite.pk] != invite.updated_at:
            skipped = services.CHANGED_MEANWHILE
            return messages.WARNING, f"Nothing was sent. Skipped: 1 {skipped}."
        try:
            services.require_ready(invite, again=False)
            changed = self.changed_by(request, press, seen)
            if not changed.changed:
                return messages.WARNING, f"Nothing was sent.{changed.rest}"
            line = services.send_due(invite)
        except (Refused, NotConfigured) as error:
            return messages.WARNING, f"Nothing was sent. {error}"
        if line["ok"]:
            return messages.SUCCESS, f"1 sent, to {invite.recipient}."
        gave_up = line["status"] != Invite.Status.PENDING
        return messages.ERROR, f"0 sent. {explain_error(line['error'], gave_up=gave_up)}"

    def rows(self, keys: tuple[UUID, ...]) -> QuerySet[Invite]:
        return Invite.objects.select_related("enquiry").filter(pk__in=keys)


def retry_at_once(ids: tuple[UUID, ...]) -> dict[str, Any]:
    """Send these invites within the time that a person waits for a page."""
    return services.retry_invites(ids, seconds=SECONDS)


def link_to(enquiry: Enquiry | None) -> str:
    """Return a link to the enquiry of an invite."""
    if enquiry is None:
        return "gone"
    url = reverse("admin:invites_enquiry_change", args=[enquiry.pk])
    return format_html('<a href="{}">{}</a>', url, enquiry.name or "No name")
