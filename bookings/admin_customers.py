"""Customers in the admin: who they are, what they booked, and everything that happened."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings.admin_base import TONES_OF_STATUS, BookingsAdmin, count_of
from bookings.admin_buttons import whatsapp_in_words, why_unreachable
from bookings.admin_forms import CustomerForm
from bookings.finding import customers_found
from bookings.models import Booking, Customer
from bookings.resources import CustomerResource
from egac.console.export import ExportedAdmin
from egac.console.instant import now_of
from egac.console.pages import Event, Link, Table, person_link
from egac.console.records import badge, moment
from egac.delivery import not_written_to, suppressed_among
from egac.masking import private
from egac.money import in_words
from egac.people import Identity, timeline_of
from egac.people_in_tables import PeopleIn

MOST_BOOKINGS = 50


class AgreedFilter(admin.SimpleListFilter):
    """Whether they agreed to WhatsApp."""

    title = "WhatsApp"
    parameter_name = "agreed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "agreed"), ("no", "did not agree")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(whatsapp_opted_in_at__isnull=self.value() == "no")


class AddressFilter(admin.SimpleListFilter):
    """Whether there is an e-mail address."""

    title = "e-mail"
    parameter_name = "email"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "without an address")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(email="") if self.value() == "none" else queryset


class CustomerAdmin(ExportedAdmin, BookingsAdmin):
    """Customers: a list, and for each a page with one timeline of everything."""

    form = CustomerForm
    fields = ("name", "email", "phone", "agreed", "address", "note")
    resource_classes = [CustomerResource]
    list_display = ("name", "email", "phone", "whatsapp", "booked", "since")
    list_filter = (AgreedFilter, AddressFilter)
    sortable_by = ("name",)
    search_help_text = "The beginnings of a name, a whole address or number, or a reference."
    ordering = ("name", "pk")
    empty_sentence = (
        "Customers show here. Add the first one by hand, or bring them over with "
        "manage.py import_bookings."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        booked = count_of(Booking.objects.confirmed(), by="customer")
        return super().get_queryset(request).annotate(booked=booked)

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return customers_found(term)

    @admin.display(description="WhatsApp", ordering="whatsapp_opted_in_at")
    def whatsapp(self, customer: Customer) -> str:
        return "agreed" if customer.whatsapp_opted_in_at else "–"

    @admin.display(description="bookings")
    def booked(self, customer: Any) -> int:
        count: int = customer.booked
        return count

    @admin.display(description="since", ordering="created_at")
    def since(self, customer: Customer) -> SafeString | str:
        return moment(customer.created_at)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        typed = set(form.changed_data)
        if "agreed" in typed:
            agreed = form.cleaned_data["agreed"]
            obj.whatsapp_opted_in_at = timezone.now() if agreed else None  # noqa: TID251  a page reads the clock
            typed = typed - {"agreed"} | {"whatsapp_opted_in_at"}
        obj.save(update_fields=typed) if change else obj.save()

    # The page

    def state(self, row: Any) -> SafeString:
        return badge("customer", "good") if row.booked else badge("no booking", "off")

    def state_in_words(self, row: Any) -> str:
        count = "1 confirmed booking" if row.booked == 1 else f"{row.booked} confirmed bookings"
        return f"{row} has {count}."

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        return [
            ("E-mail", row.email or "none"),
            ("Phone", row.phone or "none"),
            ("WhatsApp", whatsapp_in_words(row)),
            ("Agreed", moment(row.whatsapp_opted_in_at)),
            ("Postal address", private(linebreaksbr(row.address or "none", autoescape=True))),
            ("Note", linebreaksbr(row.note or "–", autoescape=True)),
            ("Reference", row.reference or "–"),
            ("Customer since", moment(row.created_at)),
        ]

    def notes(self, row: Any) -> list[str]:
        notes = [why] if (why := why_unreachable(row)) else []
        if reason := suppressed_among({row.email}).get(row.email.lower()):
            notes.append(not_written_to(row.email, reason))
        return notes

    def tables(self, row: Any) -> list[Table]:
        bookings = row.bookings.select_related("package")[:MOST_BOOKINGS]
        return [
            Table(
                "Bookings",
                ("Booking", "Status", "Access", "Price"),
                [_cells(booking) for booking in bookings],
                "Nothing is booked yet.",
            )
        ]

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        links = [*super().links(request, row), person_link("customer", row.pk)]
        if request.user.has_perm("bookings.add_booking"):
            url = reverse("admin:bookings_booking_add")
            links.append(Link("Add a booking", f"{url}?customer={row.pk}"))
        return links

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Tell on it what every app knows of this customer, and not of who shares the address."""
        alone = Identity.of([PeopleIn(Customer).entry_of(row)])
        events, _ = timeline_of(alone, may=request.user.has_perm, now=now_of(request))
        return {**super().page_context(request, row), "timeline": events}

    def timeline(self, row: Any) -> list[Event]:
        return []  # page_context tells it to each viewer

    def milestones(self, row: Any) -> Iterator[Event]:
        yield from ()


def _cells(booking: Booking) -> list[Any]:
    url = reverse("admin:bookings_booking_change", args=[booking.pk])
    price = "none" if booking.price is None else in_words(booking.price, booking.currency)
    return [
        format_html('<a href="{}">{}</a>', url, booking.title),
        badge(booking.get_status_display(), TONES_OF_STATUS[booking.status]),
        badge(booking.get_access_status_display(), TONES_OF_STATUS[booking.access_status]),
        price,
    ]
