"""Bookings in the admin: on which terms, where each stands, its history, and two buttons."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.admin_base import TONES_OF_STATUS, BookingsAdmin, actor_of, seen_of
from bookings.admin_buttons import CANCEL_BOOKING, CONFIRM, line_of_booking, why_unreachable
from bookings.admin_forms import BookingForm
from bookings.admin_previews import with_confirmations
from bookings.booking import (
    cancel_bookings,
    confirm_bookings,
    make_booking,
    why_not_cancelled,
    why_not_confirmed,
)
from bookings.finding import of_customers_found
from bookings.history import line_of
from bookings.models import Booking
from bookings.resources import BookingResource
from bookings.words import times_in_words
from egac.console.actions import Line, Press, Shown, StaffAction
from egac.console.confirming import MOST_SHOWN
from egac.console.export import ExportedAdmin
from egac.console.pages import MOST_EVENTS, Event, Table
from egac.console.records import badge, moment
from egac.console.search import number_in
from egac.console.widgets import SearchBox
from egac.days import day_in_words
from egac.money import in_words

Status, Access = Booking.Status, Booking.Access

SENTENCES: dict[str, str] = {
    Status.PENDING: "It waits to be confirmed.",
    Status.CONFIRMED: "It is confirmed.",
    Status.CANCELLED: "It was cancelled, so it is billed no more.",
}
ACCESS_SENTENCES: dict[str, str] = {
    Access.ACTIVE: "",
    Access.GRACE: " An invoice is overdue; it is locked unless that is paid.",
    Access.LOCKED: " It is locked until its overdue invoice is paid.",
}


class BookingAdmin(ExportedAdmin, BookingsAdmin):
    """Bookings: a list with status and access, and for each a page with its history."""

    staff_actions = (CONFIRM, CANCEL_BOOKING)
    form = BookingForm
    fields = (
        "customer",
        "package",
        "plan",
        "price",
        "currency",
        "weekdays",
        "starts_at_time",
        "billing_anchor_on",
        "billed_through_on",
    )
    resource_classes = [BookingResource]
    list_select_related = ("customer", "package")
    list_display = ("who", "what", "state", "access", "price_in_words", "times", "billed_through")
    list_display_links = ("who",)
    list_filter = ("status", "access_status", "plan", "package")
    search_help_text = (
        "The beginnings of a customer's name, a whole address or number, the reference of another "
        "system, or an id."
    )
    ordering = ("-pk",)
    empty_sentence = (
        "Bookings show here. Add the first one by hand, or bring them over with "
        "manage.py import_bookings."
    )

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return of_customers_found(term) | Q(reference=term) | Q(pk=number_in(term))

    # The columns

    @admin.display(description="customer", ordering="customer__name")
    def who(self, booking: Booking) -> str:
        return str(booking.customer)

    @admin.display(description="booking", ordering="package__name")
    def what(self, booking: Booking) -> str:
        return booking.title

    @admin.display(description="status", ordering="status")
    def state(self, row: Any) -> SafeString:
        return badge(row.get_status_display(), TONES_OF_STATUS[row.status])

    @admin.display(description="access", ordering="access_status")
    def access(self, booking: Booking) -> SafeString:
        return badge(booking.get_access_status_display(), TONES_OF_STATUS[booking.access_status])

    @admin.display(description="price", ordering="price")
    def price_in_words(self, booking: Booking) -> str:
        return "none" if booking.price is None else in_words(booking.price, booking.currency)

    @admin.display(description="times")
    def times(self, booking: Booking) -> str:
        at, zone = booking.starts_at_time, settings.BUSINESS_TIME_ZONE
        return times_in_words(booking.weekdays, at, zone=zone)

    @admin.display(description="billed through", ordering="billed_through_on")
    def billed_through(self, booking: Booking) -> str:
        return f"{booking.billed_through_on:%-d %B %Y}" if booking.billed_through_on else "–"

    # The form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("customer",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "customer":
            kwargs["widget"] = SearchBox(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def why_not_edited(self, row: Any) -> str:
        return "cancelled" if row.status == Status.CANCELLED else ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            self.save_changes(obj, form)
        else:
            make_booking(obj, actor=actor_of(request))

    # The page

    def state_in_words(self, row: Any) -> str:
        return SENTENCES[row.status] + ACCESS_SENTENCES[row.access_status]

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        url = reverse("admin:bookings_customer_change", args=[row.customer_id])
        anchor_on, through_on = row.billing_anchor_on, row.billed_through_on
        return [
            ("Customer", format_html('<a href="{}">{}</a>', url, row.customer)),
            ("Booking", row.title),
            ("Access", self.access(row)),
            ("Price", self.price_in_words(row)),
            ("Times", self.times(row)),
            ("Billing anchor", day_in_words(anchor_on) if anchor_on else "–"),
            ("Billed through", day_in_words(through_on) if through_on else "–"),
            ("Reference", row.reference or "–"),
            ("Made", moment(row.created_at)),
        ]

    def notes(self, row: Any) -> list[str]:
        notes = [why] if (why := why_unreachable(row.customer)) else []
        lacks = why_not_confirmed(row)
        if lacks.startswith(("without", "monthly")):
            notes.append(f"It is {lacks}: it cannot be confirmed or billed. Press Change.")
        return notes

    def tables(self, row: Any) -> list[Table]:
        places = row.enrolments.select_related("session").order_by("-session__starts_at")
        rows = []
        for place in places[:MOST_EVENTS]:
            url = reverse("admin:bookings_classsession_change", args=[place.session_id])
            rows.append(
                [
                    format_html('<a href="{}">{}</a>', url, place.session.title),
                    moment(place.session.starts_at),
                    badge(place.get_attendance_display(), TONES_OF_STATUS[place.attendance]),
                ]
            )
        return [Table("Classes", ("Class", "When", "Attendance"), rows, "It has no place in any.")]

    def milestones(self, row: Any) -> Iterator[Event]:
        for event in row.events.order_by("-at", "-pk")[:MOST_EVENTS]:
            yield line_of(event, str(event).capitalize())

    # The buttons

    def why_not(self, action: StaffAction, row: Any) -> str:
        return why_not_confirmed(row) if action is CONFIRM else why_not_cancelled(row)

    def lines_of(self, action: StaffAction, rows: list[Any]) -> list[Line]:
        return [line_of_booking(action, row) for row in rows]

    def shown(self, action: StaffAction, rows: list[Any], start: int, *, now: datetime) -> Shown:
        shown = super().shown(action, rows, start, now=now)
        if action is not CONFIRM:
            return shown
        bookings = rows[start : start + MOST_SHOWN]
        return Shown(with_confirmations(shown.lines, bookings, now=now))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("customer", "package")

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        ids, seen, actor = list(press.seen), seen_of(press.seen), actor_of(request)
        with transaction.atomic():
            if press.action is CONFIRM:
                now = timezone.now()  # noqa: TID251  a page reads the clock
                changed = confirm_bookings(ids, now=now, actor=actor, seen=seen)
            else:
                changed = cancel_bookings(ids, because=press.reason, actor=actor, seen=seen)
            rows = Booking.objects.filter(pk__in=changed.ids).select_related("customer", "package")
            self.log(request, rows, press.told(changed.changed))
        did = "confirmed" if press.action is CONFIRM else "cancelled"
        level = messages.WARNING if changed.skipped else messages.SUCCESS
        return level, changed.sentence(did)
