"""Customers, what can be booked, and what they booked; the tables of classes stand beside it."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from bookings.classes import ClassSession as ClassSession
from bookings.classes import Enrolment as Enrolment
from bookings.classes import Instructor as Instructor
from egac.numbers import END_OF_PHONE

MONDAY, SUNDAY = 1, 7  # of ISO 8601, as Booking.weekdays counts
IS_CURRENCY = r"^[A-Z]{3}$"  # ISO 4217


class Customer(models.Model):
    """A person the club writes to. An address may be missing: then it is reported, not guessed."""

    name = models.TextField()
    email = models.TextField(blank=True, db_default="")
    phone = models.TextField(blank=True, db_default="")
    # When they agreed to be written to by WhatsApp; without that it is never used.
    whatsapp_opted_in_at = models.DateTimeField("WhatsApp opt-in", null=True, blank=True)
    address = models.TextField("postal address", blank=True, db_default="")
    note = models.TextField(blank=True, db_default="")
    reference = models.TextField(null=True, blank=True, unique=True)  # in the system before ours
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "customers"
        ordering = ["name", "pk"]
        indexes = [
            models.Index(Lower("email"), name="customers_by_email"),
            models.Index(fields=["name", "id"], name="customers_by_name"),
            models.Index(END_OF_PHONE, name="customers_by_end_of_phone"),
            GinIndex(SearchVector("name", config="simple"), name="customers_by_words_of_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Plan(models.TextChoices):
    """How a booking is billed."""

    MONTHLY = "monthly", "monthly"
    PER_CLASS = "per_class", "per class"


PLAN_IN_WORDS = dict(Plan.choices)


class ClassPackage(models.Model):
    """What can be booked."""

    name = models.TextField(unique=True)
    plan = models.TextField(choices=Plan)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    is_open = models.BooleanField("can be booked", db_default=True)

    class Meta:
        db_table = "class_packages"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gte=0), name="a_package_costs_no_less_than_0"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=IS_CURRENCY), name="a_package_names_its_currency"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BookingQuerySet(models.QuerySet["Booking"]):
    """Questions about bookings."""

    def confirmed(self) -> Self:
        return self.filter(status=Booking.Status.CONFIRMED)

    def monthly(self) -> Self:
        return self.filter(plan=Plan.MONTHLY)

    def per_class(self) -> Self:
        return self.filter(plan=Plan.PER_CLASS)


class Booking(models.Model):
    """What a customer booked. What its plan needs may be missing: such a one is not billed."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        CONFIRMED = "confirmed", "confirmed"
        CANCELLED = "cancelled", "cancelled"

    class Access(models.TextChoices):
        ACTIVE = "active", "active"
        GRACE = "overdue_grace", "overdue, in grace"
        LOCKED = "overdue_locked", "overdue, locked"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="bookings")
    package = models.ForeignKey(
        ClassPackage, models.SET_NULL, null=True, blank=True, related_name="bookings"
    )
    plan = models.TextField(choices=Plan)
    status = models.TextField(choices=Status, db_default=Status.PENDING)
    weekdays = ArrayField(models.SmallIntegerField(), default=list, blank=True)  # 1 is Monday
    starts_at_time = models.TimeField("start time", null=True, blank=True)  # in the club's zone
    billing_anchor_on = models.DateField("billing anchor", null=True, blank=True)
    # Of a month, or of a class.
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)
    # Every day up to and including this one is billed or waived; set when the booking is made.
    billed_through_on = models.DateField("billed through", null=True, blank=True)
    access_status = models.TextField("access", choices=Access, db_default=Access.ACTIVE)
    # The business date that asked for its last move: a run for an earlier one moves it no more.
    access_moved_on = models.DateField(null=True, blank=True, editable=False)
    reference = models.TextField(null=True, blank=True, unique=True)  # in the system before ours
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = BookingQuerySet.as_manager()

    class Meta:
        db_table = "bookings"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["plan", "billed_through_on", "id"],
                name="bookings_to_bill",
                condition=Q(status="confirmed"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "confirmed", "cancelled"]),
                name="a_booking_has_a_known_status",
            ),
            models.CheckConstraint(
                condition=Q(access_status__in=["active", "overdue_grace", "overdue_locked"]),
                name="a_booking_has_a_known_access_status",
            ),
            models.CheckConstraint(
                condition=Q(plan__in=["monthly", "per_class"]), name="a_booking_has_a_known_plan"
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0), name="a_booking_costs_no_less_than_0"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=IS_CURRENCY), name="a_booking_names_its_currency"
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=list(range(MONDAY, SUNDAY + 1))),
                name="a_booking_is_on_days_of_the_week",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} of {self.customer}"

    @property
    def title(self) -> str:
        """What was booked, in words that a customer knows."""
        package = self.package
        return f"{package.name if package else 'Classes'} ({PLAN_IN_WORDS[self.plan]})"


class BookingEvent(models.Model):
    """One line of a booking's history. Append-only."""

    class Kind(models.TextChoices):
        MADE = "made", "made"
        ADOPTED = "adopted", "brought over from the system before"
        CONFIRMED = "confirmed", "confirmed"
        CANCELLED = "cancelled", "cancelled"
        ACCESS = "access", "access moved"
        WAIVED = "waived", "period waived"

    booking = models.ForeignKey(Booking, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    kind = models.TextField(choices=Kind)
    actor = models.TextField(blank=True, db_default="")  # a member of staff, or a job
    old = models.TextField(blank=True, db_default="")
    new = models.TextField(blank=True, db_default="")
    why = models.TextField(blank=True, db_default="")

    class Meta:
        db_table = "booking_events"
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        if not self.new:
            return self.get_kind_display()
        words: dict[str, str] = dict(Booking.Access.choices)
        old, new = words.get(self.old, self.old), words.get(self.new, self.new)
        return f"{self.get_kind_display()}: {old} → {new}"
