"""Places in classes in the admin: given, taken back, and marked."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.admin_base import TONES_OF_STATUS, BookingsAdmin, actor_of, seen_of
from bookings.admin_buttons import ATTENDED, MISSED, TAKE_BACK, line_of_enrolment
from bookings.admin_forms import EnrolmentForm
from bookings.booking import Refused
from bookings.concerned import notes_on
from bookings.enrolling import enrol, take_places_back, why_not_taken_back
from bookings.finding import of_customers_found
from bookings.models import Booking, Enrolment
from bookings.sessions import (
    Attendance,
    enrolments_by_the_clock,
    mark_attendance,
    why_not_marked,
)
from egac.console.actions import Line, Press, StaffAction
from egac.console.pages import Event
from egac.console.records import badge, moment
from egac.console.widgets import SearchBox
from egac.days import instant_in_words
from egac.search import keys_of

MARKS = {ATTENDED: Attendance.ATTENDED, MISSED: Attendance.MISSED}


class ClassSearch(SearchBox):
    """A box to search a class in."""

    words = "Search a class's title or its instructor"


class EnrolmentAdmin(BookingsAdmin):
    """Places: a list, a page for each, two marks; one given by mistake can be taken back."""

    staff_actions = (ATTENDED, MISSED, TAKE_BACK)
    form = EnrolmentForm
    fields = ("session", "booking")
    list_display = ("who", "what", "when", "state", "changed_by")
    list_display_links = ("who",)
    list_filter = ("attendance", "session__status")
    search_help_text = "The beginnings of a customer's name, or a whole address or number."
    ordering = ("-session__starts_at", "-pk")
    empty_sentence = "Places in classes show here, each with whether they came."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = enrolments_by_the_clock().select_related("booking__customer", "booking__package")
        return rows.order_by(*self.ordering)

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return Q(booking__in=keys_of(Booking.objects.filter(of_customers_found(term))))

    @admin.display(description="customer", ordering="booking__customer__name")
    def who(self, place: Enrolment) -> str:
        return str(place.booking.customer)

    @admin.display(description="class", ordering="session__title")
    def what(self, place: Enrolment) -> str:
        return place.session.title

    @admin.display(description="when", ordering="session__starts_at")
    def when(self, place: Enrolment) -> str:
        return instant_in_words(place.session.starts_at)

    @admin.display(description="attendance", ordering="attendance")
    def state(self, row: Any) -> SafeString:
        return badge(row.get_attendance_display(), TONES_OF_STATUS[row.attendance])

    # Given and taken back

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        box = ClassSearch if db_field.name == "session" else SearchBox
        kwargs["widget"] = box(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def why_not_edited(self, row: Any) -> str:
        return "a place is given and taken back, not changed"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changed = enrol([obj.booking_id], session=obj.session, actor=actor_of(request))
        if not changed.changed:
            raise Refused(changed.sentence("given a place"))
        obj.pk = Enrolment.objects.get(booking=obj.booking, session=obj.session).pk

    # The page

    def state_in_words(self, row: Any) -> str:
        return f"{row.booking.customer} in {row.session.title}, {self.when(row)}."

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        booking = reverse("admin:bookings_booking_change", args=[row.booking_id])
        session = reverse("admin:bookings_classsession_change", args=[row.session_id])
        return [
            ("Booking", format_html('<a href="{}">{}</a>', booking, row.booking)),
            ("Class", format_html('<a href="{}">{}</a>', session, row.session.title)),
            ("When", self.when(row)),
            ("Last marked or enrolled by", row.changed_by or "–"),
            ("That was", moment(row.updated_at)),
        ]

    def notes(self, row: Any) -> list[str]:
        return list(filter(None, [notes_on([row.pk])]))

    def milestones(self, row: Any) -> Iterator[Event]:
        who = row.changed_by or "somebody"
        yield Event(row.updated_at, f"{who}: {row.get_attendance_display()}", "off")

    # The buttons

    def why_not(self, action: StaffAction, row: Any) -> str:
        if action is TAKE_BACK:
            return why_not_taken_back(row)
        return why_not_marked(row, MARKS[action])

    def lines_of(self, action: StaffAction, rows: list[Any]) -> list[Line]:
        return [line_of_enrolment(row) for row in rows]

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        do = self.take_back if press.action is TAKE_BACK else self.mark
        return do(request, press)

    def take_back(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        """Take the places back, and write it where it can still be read."""
        seen = seen_of(press.seen)
        try:
            with transaction.atomic():
                places = self.get_queryset(request).in_bulk(list(seen))
                changed = take_places_back(list(seen), seen=seen)
                taken_back = [places[key] for key in changed.ids]
                self._log_taken_back(request, taken_back, press)
        except Refused as refusal:
            return messages.WARNING, f"0 taken back. {refusal}"
        level = messages.WARNING if changed.skipped else messages.SUCCESS
        return level, changed.sentence("taken back")

    def _log_taken_back(
        self, request: HttpRequest, places: Sequence[Enrolment], press: Press
    ) -> None:
        """Write it into the histories of the classes and bookings too: a place has none now."""
        count = len(places)
        self.log(request, places, press.told(count), flag=DELETION)
        for place in places:
            whose = f"the place of {place.booking.customer}"
            told = press.told(count, f", {whose} in {place.session.title}, {self.when(place)}")
            self.log(request, [place.session], told)
            self.log(request, [place.booking], told)

    def mark(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        """Note whether they came."""
        mark, seen = MARKS[press.action], seen_of(press.seen)
        with transaction.atomic():
            changed = mark_attendance(
                list(seen), attendance=mark, actor=actor_of(request), seen=seen
            )
            rows = self.get_queryset(request).filter(pk__in=changed.ids)
            self.log(request, rows, press.told(changed.changed))
        note = notes_on(changed.ids)
        level = messages.WARNING if changed.skipped or note else messages.SUCCESS
        return level, f"{changed.sentence(f'marked as {mark.label}')} {note}".strip()
