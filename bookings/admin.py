"""Every page of bookings: customers, packages, bookings, classes, places and instructors."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminEmailInputWidget, AdminTextInputWidget
from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString

from bookings.admin_bookings import BookingAdmin
from bookings.admin_customers import CustomerAdmin
from bookings.admin_enrolments import EnrolmentAdmin
from bookings.admin_sessions import SessionAdmin
from bookings.models import (
    Booking,
    ClassPackage,
    ClassSession,
    Customer,
    Enrolment,
    Instructor,
)
from egac.console.editing import EditingAdmin, SeenForm
from egac.console.records import ListAdmin, badge
from egac.money import in_words

admin.site.register(Customer, CustomerAdmin)
admin.site.register(Booking, BookingAdmin)
admin.site.register(ClassSession, SessionAdmin)
admin.site.register(Enrolment, EnrolmentAdmin)


class KeptAdmin(EditingAdmin, ListAdmin):
    """Rows that are added and changed on a form, and never deleted: others point at them."""

    formfield_overrides = {models.TextField: {"widget": AdminTextInputWidget}}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PackageForm(SeenForm):
    """What can be booked, and for how much."""

    currency = forms.RegexField(
        "^[A-Z]{3}$", error_messages={"invalid": "Write three capital letters, like GBP."}
    )
    price = forms.DecimalField(
        min_value=0,
        max_digits=10,
        decimal_places=2,
        help_text="Of a month or of a class, without tax. Bookings that are there keep theirs.",
    )


@admin.register(ClassPackage)
class PackageAdmin(KeptAdmin):
    """What can be booked."""

    form = PackageForm
    fields = ("name", "plan", "price", "currency", "is_open")
    list_display = ("name", "plan", "price_in_words", "open")
    search_fields = ("name",)
    ordering = ("name",)
    empty_sentence = "Packages show here: what can be booked, and for how much. Add the first one."

    @admin.display(description="price", ordering="price")
    def price_in_words(self, package: ClassPackage) -> str:
        return in_words(package.price, package.currency)

    @admin.display(description="can be booked", ordering="is_open")
    def open(self, package: ClassPackage) -> SafeString:
        return badge("open", "good") if package.is_open else badge("closed", "off")


class InstructorForm(SeenForm):
    """Who gives classes."""

    email = forms.EmailField(label="E-mail", required=False, widget=AdminEmailInputWidget)


@admin.register(Instructor)
class InstructorAdmin(KeptAdmin):
    """Who gives classes, and under which Zoom user."""

    form = InstructorForm
    fields = ("name", "email", "zoom_user")
    list_display = ("name", "email", "zoom_user")
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    empty_sentence = "Instructors show here. Add the first one: a class online needs a host."
