"""Invoices, their lines and payments, the reminders that were sent, and what cannot be billed."""

from decimal import Decimal
from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now

from bookings.models import IS_CURRENCY, Booking, Customer, Enrolment
from egac.search import Words

WORDS_OF_AN_INVOICE = Words("number")
WORDS_OF_A_PAYMENT = Words("reference")


class InvoiceCounter(models.Model):
    """The last number given in a year; its row is locked while numbers are given."""

    year = models.IntegerField(primary_key=True)
    last = models.IntegerField()

    class Meta:
        db_table = "invoice_counters"

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Questions about invoices."""

    def live(self) -> Self:
        """Those that count: pending and paid."""
        return self.exclude(status=Invoice.Status.CANCELLED)

    def pending(self) -> Self:
        return self.filter(status=Invoice.Status.PENDING)

    def unpaid(self) -> Self:
        """Those that still ask for money."""
        return self.pending().filter(total__gt=F("paid"))


class Invoice(models.Model):
    """What a customer owes for one booking. Overdue is derived: pending and past its due date."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        PAID = "paid", "paid"
        CANCELLED = "cancelled", "cancelled"

    class Kind(models.TextChoices):
        MONTHLY = "monthly", "a month"
        T5 = "t5", "classes"
        MANUAL = "manual", "written by staff"

    number = models.TextField(unique=True)
    kind = models.TextField(choices=Kind)
    booking = models.ForeignKey(Booking, models.PROTECT, related_name="invoices")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    status = models.TextField(choices=Status, db_default=Status.PENDING)
    # As they stood when it was issued.
    billed_to = models.TextField()
    billed_for = models.TextField()
    issued_on = models.DateField()
    due_on = models.DateField()
    period_starts_on = models.DateField(null=True, blank=True)  # of a monthly one
    period_ends_on = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    net = models.DecimalField(max_digits=10, decimal_places=2)
    tax = models.DecimalField(max_digits=10, decimal_places=2)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    paid = models.DecimalField(max_digits=10, decimal_places=2, db_default=Decimal("0.00"))
    paid_on = models.DateField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_because = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        db_table = "invoices"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["due_on", "id"],
                name="invoices_to_be_paid",
                condition=Q(status="pending"),
            ),
            models.Index(fields=["booking", "-due_on"], name="invoices_of_a_booking"),
            GinIndex(WORDS_OF_AN_INVOICE, name="invoices_by_words"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid", "cancelled"]),
                name="an_invoice_has_a_known_status",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=IS_CURRENCY), name="an_invoice_names_its_currency"
            ),
            models.CheckConstraint(
                condition=Q(total=F("net") + F("tax")), name="an_invoice_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(net__gte=0, tax__gte=0, paid__gte=0),
                name="an_invoice_asks_no_less_than_0",
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(paid__gte=F("total"), paid_on__isnull=False),
                name="a_paid_invoice_is_paid_in_full_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(period_starts_on=None, period_ends_on=None)
                | Q(period_starts_on__lte=F("period_ends_on")),
                name="a_period_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["booking", "period_starts_on"],
                condition=Q(period_starts_on__isnull=False) & ~Q(status="cancelled"),
                name="one_live_invoice_per_booking_and_period",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left_to_pay(self) -> Decimal:
        """What is still to be paid, in the invoice's currency."""
        return max(self.total - self.paid, Decimal("0.00"))


class InvoiceLine(models.Model):
    """One line of an invoice: a period, a class, or what staff wrote."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.SmallIntegerField()
    description = models.TextField()
    quantity = models.IntegerField(db_default=1)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)  # without tax
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2)
    net = models.DecimalField(max_digits=10, decimal_places=2)
    tax = models.DecimalField(max_digits=10, decimal_places=2)
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, null=True, blank=True, related_name="invoice_lines"
    )
    is_live = models.BooleanField(db_default=True)  # False once its invoice is cancelled

    class Meta:
        db_table = "invoice_lines"
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="an_invoice_line_has_its_own_place"
            ),
            models.UniqueConstraint(
                fields=["enrolment"],
                condition=Q(is_live=True),
                name="an_enrolment_is_on_one_live_line",
            ),
            models.CheckConstraint(
                condition=Q(net=F("unit_price") * F("quantity")), name="a_line_adds_up"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="a_line_counts_something"),
        ]

    def __str__(self) -> str:
        return self.description


class Payment(models.Model):
    """Money that came in for an invoice. Append-only."""

    class Method(models.TextChoices):
        BANK_TRANSFER = "bank_transfer", "bank transfer"
        CASH = "cash", "cash"
        CARD = "card", "card"
        OTHER = "other", "other"

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    paid_on = models.DateField()
    method = models.TextField(choices=Method)
    reference = models.TextField(blank=True, db_default="")
    recorded_by = models.TextField(blank=True, db_default="")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "payments"
        ordering = ["-recorded_at", "-pk"]
        indexes = [GinIndex(WORDS_OF_A_PAYMENT, name="payments_by_words")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_payment_is_above_0"),
            models.CheckConstraint(
                condition=Q(currency__regex=IS_CURRENCY), name="a_payment_names_its_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.invoice}"


class StepTaken(models.Model):
    """A reminder that was queued: once for an invoice, a step and a channel, for ever."""

    class Step(models.TextChoices):
        """In the order of their days; the days are in billing's rules."""

        REMINDER = "reminder", "reminder"
        FINAL_REMINDER = "final_reminder", "final reminder"
        OVERDUE = "overdue", "overdue notice"

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="steps")
    step = models.TextField(choices=Step)
    channel = models.TextField()
    taken_on = models.DateField()  # the business date

    class Meta:
        db_table = "steps_taken"
        verbose_name_plural = "steps taken"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "step", "channel"], name="a_step_is_taken_once_on_a_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()} for {self.invoice} by {self.channel}"


class BillingProblem(models.Model):
    """A booking or class that could not be billed, until a run finds that it can."""

    job = models.TextField()
    booking = models.ForeignKey(Booking, models.CASCADE, related_name="billing_problems")
    why = models.TextField()
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    # The business date of the run that saw it: one for an earlier day does not solve it.
    last_seen_on = models.DateField(db_default=Cast(Now(), models.DateField()))
    solved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "billing_problems"
        ordering = ["-last_seen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["booking", "job"],
                condition=Q(solved_at=None),
                name="one_open_problem_of_a_booking_and_job",
            )
        ]

    def __str__(self) -> str:
        return f"{self.booking}: {self.why}"


class MonthAhead(models.Model):
    """What the jobs will do in the coming month: no table, a page of the admin and who may see."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "month ahead"
        verbose_name_plural = "month ahead"

    def __str__(self) -> str:
        return "month ahead"


class MissedDay(models.Model):
    """A business date without its job: no table, pages of the admin and who may see them."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "missed day"

    def __str__(self) -> str:
        return "missed day"
