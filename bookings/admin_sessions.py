"""Classes in the admin: who is booked, who came, whether it took place, and what is called off."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from bookings.admin_base import TONES_OF_STATUS, BookingsAdmin, actor_of, count_of, seen_of
from bookings.admin_buttons import CANCEL_SESSION, COMPLETE, line_of_session
from bookings.admin_forms import SessionForm
from bookings.admin_previews import with_cancellations
from bookings.admin_register import (
    posted_marks,
    register_file,
    register_lines,
    roster,
    roster_cells,
    why_closed,
)
from bookings.classes import WORDS_OF_A_CLASS
from bookings.concerned import notes_on
from bookings.models import ClassSession, Enrolment
from bookings.resources import SessionResource
from bookings.sessions import (
    cancel_sessions,
    complete_sessions,
    mark_register,
    people_booked,
    sessions_by_the_clock,
    why_not_called_off,
    why_not_completed,
)
from egac.console.actions import Line, Press, StaffAction
from egac.console.confirming import with_reason, wrong_reason
from egac.console.export import ExportedAdmin
from egac.console.pages import Event, Link, Table
from egac.console.records import badge
from egac.days import instant_in_words
from egac.search import with_words

Status = ClassSession.Status
MARK = "bookings.mark_enrolment"
NOTHING_TAKEN = "No file was taken: press Download as a CSV file."


class TimeFilter(admin.SimpleListFilter):
    """By when a class is, on the database's clock, and what is still to be noted of it."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("ahead", "to come"),
            ("week", "in the next 7 days"),
            ("behind", "begun or over"),
            ("unnoted", "over, and not noted yet"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "week":
            return queryset.filter(has_begun=False, starts_at__lt=Now() + timedelta(days=7))
        if self.value() == "unnoted":
            return queryset.filter(is_over=True, status=Status.SCHEDULED)
        if self.value() not in ("ahead", "behind"):
            return queryset
        return queryset.filter(has_begun=self.value() == "behind")


class SessionAdmin(ExportedAdmin, BookingsAdmin):
    """Class sessions: a list by time, and for each a page with its roster and its register."""

    staff_actions = (COMPLETE, CANCEL_SESSION)
    form = SessionForm
    fields = ("title", "package", "instructor", "starts_at", "ends_at", "is_online")
    resource_classes = [SessionResource]
    list_display = ("title", "when", "state", "instructor", "places", "attended", "online")
    list_select_related = ("instructor", "package")
    list_filter = ("status", TimeFilter, "is_online", "instructor")
    sortable_by = ("when",)
    search_help_text = "The beginning of a word of a class's title, or of an instructor's name."
    ordering = ("-starts_at", "-pk")
    empty_sentence = "Classes show here, each with who is booked and who came. Add the first one."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        places = Enrolment.objects.all()
        came = places.filter(attendance=Enrolment.Attendance.ATTENDED)
        rows = sessions_by_the_clock().select_related("instructor", "package")
        return rows.annotate(
            places=count_of(places, by="session"), attended=count_of(came, by="session")
        ).order_by(*self.ordering)

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return with_words(term, WORDS_OF_A_CLASS) | Q(instructor__name__istartswith=term)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/register/",
                view(self.register),
                name=self.url_name("register"),
            ),
            path(
                "<path:object_id>/register.csv",
                view(self.register_csv),
                name=self.url_name("register_csv"),
            ),
            *super().get_urls(),
        ]

    # The columns

    @admin.display(description="starts", ordering="starts_at")
    def when(self, session: ClassSession) -> str:
        return instant_in_words(session.starts_at)

    @admin.display(description="status", ordering="status")
    def state(self, row: Any) -> SafeString:
        return badge(row.get_status_display(), TONES_OF_STATUS[row.status])

    @admin.display(description="places", ordering="places")
    def places(self, session: Any) -> int:
        count: int = session.places
        return count

    @admin.display(description="attended", ordering="attended")
    def attended(self, session: Any) -> int:
        count: int = session.attended
        return count

    @admin.display(description="online")
    def online(self, session: ClassSession) -> str:
        if not session.is_online:
            return "–"
        if session.meeting_id:
            return "meeting made"
        return "no meeting yet" if session.status == Status.SCHEDULED else "no meeting"

    # The form

    def why_not_edited(self, row: Any) -> str:
        return "" if row.status == Status.SCHEDULED else row.get_status_display()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.save_changes(obj, form) if change else obj.save()

    # The page

    def state_in_words(self, row: Any) -> str:
        if row.status == Status.SCHEDULED and row.is_over:
            return "It is over. Mark the register, then press “It took place”."
        if row.status == Status.SCHEDULED:
            return f"It begins on {instant_in_words(row.starts_at)}."
        why = f": {row.closed_because}" if row.closed_because else "."
        by = f" by {row.closed_by}" if row.closed_by else ""
        return f"Noted{by}{why}"

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        return [
            ("Class", row.title),
            ("Package", str(row.package or "–")),
            ("Instructor", str(row.instructor or "–")),
            ("Starts", instant_in_words(row.starts_at)),
            ("Ends", instant_in_words(row.ends_at) if row.ends_at else "–"),
            ("Online", self.online(row)),
            ("Places", row.places),
            ("Attended", row.attended),
        ]

    def notes(self, row: Any) -> list[str]:
        notes = [f"Its Zoom meeting: {row.meeting_error}"] if row.meeting_error else []
        if row.ends_at is None:
            notes.append("It has no end, so it cannot be billed or held online. Press Change.")
        return [*notes, *filter(None, [notes_on(_places_in([row.pk]))])]

    def tables(self, row: Any) -> list[Table]:
        headers = ("Customer", "Phone", "Access", "Attendance")
        rows = [roster_cells(place) for place in roster(row)]
        return [Table("Roster", headers, rows, "Nobody has a place yet.")]

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        links = [Link("Register", self.url_of("register", row.pk)), *super().links(request, row)]
        if request.user.has_perm("bookings.add_enrolment") and row.status != Status.CANCELLED:
            url = reverse("admin:bookings_enrolment_add")
            links.append(Link("Give somebody a place", f"{url}?session={row.pk}"))
        return links

    def milestones(self, row: Any) -> Iterator[Event]:
        yield Event(row.starts_at, "Starts", "moving" if not row.has_begun else "off")
        if row.closed_at:
            what = f"{row.closed_by or 'somebody'}: {row.get_status_display()}"
            tone = "good" if row.status == Status.COMPLETED else "bad"
            yield Event(row.closed_at, what, tone, row.closed_because)

    # The register

    def register(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who is booked with a mark for each, or note the marks that were changed."""
        session = self._session(request, object_id)
        if request.method == "POST":
            return self._mark(request, session)
        may_export = self.has_export_permission(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Register of {session.title}",
            "session": session,
            "when": instant_in_words(session.starts_at),
            "lines": register_lines(session),
            "why_closed": why_closed(session),
            "may_mark": request.user.has_perm(MARK),
            "page_url": self.url_of("change", session.pk),
            "file_url": self.url_of("register_csv", session.pk) if may_export else "",
        }
        return TemplateResponse(request, "admin/bookings/register.html", context)

    def register_csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the register as a file, to who may export, and note who took it."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        session = self._session(request, object_id)
        if request.method != "POST":
            messages.warning(request, NOTHING_TAKEN)
            return HttpResponseRedirect(self.url_of("register", session.pk))
        reason = request.POST.get("reason", "").strip()
        if why_not := wrong_reason(reason, is_needed=False):
            messages.warning(request, why_not)
            return HttpResponseRedirect(self.url_of("register", session.pk))
        what = f"Register: {session.places} exported to a CSV file."
        self.log(request, [session], with_reason(what, reason))
        return register_file(session)

    def _session(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        session = self.get_object(request, object_id)
        if session is None:
            raise Http404
        return session

    def _mark(self, request: HttpRequest, session: Any) -> HttpResponse:
        if not request.user.has_perm(MARK):
            raise PermissionDenied
        marks, seen = posted_marks(request.POST)
        theirs = set(session.enrolments.values_list("pk", flat=True))
        marks = {key: mark for key, mark in marks.items() if key in theirs}
        with transaction.atomic():
            changed = mark_register(marks, actor=actor_of(request), seen=seen)
            if changed.changed:
                self.log(request, [session], f"Register: {changed.changed} marked.")
        note = notes_on(changed.ids)
        level = messages.WARNING if changed.skipped or note else messages.SUCCESS
        messages.add_message(request, level, f"{changed.sentence('marked')} {note}".strip())
        return HttpResponseRedirect(self.url_of("register", session.pk))

    # The buttons

    def why_not(self, action: StaffAction, row: Any) -> str:
        return why_not_completed(row) if action is COMPLETE else why_not_called_off(row)

    def lines_of(self, action: StaffAction, rows: list[Any]) -> list[Line]:
        told = people_booked([row.pk for row in rows])
        lines = [line_of_session(action, row, told.get(row.pk, 0)) for row in rows]
        return with_cancellations(lines, rows) if action is CANCEL_SESSION else lines

    def number_of(self, action: StaffAction, keys: Sequence[Any]) -> int:
        """Return how many people are booked in classes to come: one may have a hundred."""
        if action is not CANCEL_SESSION:
            return len(keys)
        ahead = sessions_by_the_clock().filter(pk__in=keys, is_over=False)
        return sum(people_booked(list(ahead.values_list("pk", flat=True))).values())

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        ids, seen, actor = list(press.seen), seen_of(press.seen), actor_of(request)
        with transaction.atomic():
            if press.action is COMPLETE:
                changed = complete_sessions(ids, actor=actor, seen=seen)
            else:
                changed = cancel_sessions(ids, because=press.reason, actor=actor, seen=seen)
            rows = ClassSession.objects.filter(pk__in=changed.ids)
            self.log(request, rows, press.told(changed.changed))
        did = "noted as having taken place" if press.action is COMPLETE else "cancelled"
        note = notes_on(_places_in(changed.ids))
        level = messages.WARNING if changed.skipped or note else messages.SUCCESS
        return level, f"{changed.sentence(did)} {note}".strip()


def _places_in(sessions: Sequence[int]) -> list[int]:
    return list(Enrolment.objects.filter(session__in=sessions).values_list("pk", flat=True))
