"""Payments and billing problems in the admin: lists to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.finding import payments_found
from billing.models import BillingProblem, Payment
from billing.resources import PaymentResource
from egac.console.export import ExportedAdmin
from egac.console.records import RecordAdmin, badge, moment
from egac.console.search import SearchedAdmin
from egac.money import in_words
from jobs.registry import JOBS


class PaymentAdmin(SearchedAdmin, ExportedAdmin, RecordAdmin):
    """What came in, the latest first. A payment is recorded on the page of its invoice."""

    resource_classes = [PaymentResource]
    list_display = ("amount_in_words", "of_invoice", "who", "day", "how", "reference", "recorded")
    list_display_links = ("amount_in_words",)
    list_filter = ("method",)
    list_select_related = ("invoice__customer",)
    fields = (*list_display, "recorded_by")
    readonly_fields = fields
    search_help_text = (
        "The beginning of an invoice's number, of its customer's name, or of the bank's reference."
    )
    ordering = ("-pk",)
    empty_sentence = "Payments show here. Record one on the page of its invoice."

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return payments_found(term)

    @admin.display(description="amount", ordering="amount")
    def amount_in_words(self, payment: Payment) -> str:
        return in_words(payment.amount, payment.currency)

    @admin.display(description="invoice", ordering="invoice__number")
    def of_invoice(self, payment: Payment) -> SafeString:
        url = reverse("admin:billing_invoice_change", args=[payment.invoice_id])
        return format_html('<a href="{}">{}</a>', url, payment.invoice)

    @admin.display(description="customer", ordering="invoice__customer__name")
    def who(self, payment: Payment) -> str:
        return str(payment.invoice.customer)

    @admin.display(description="day", ordering="paid_on")
    def day(self, payment: Payment) -> str:
        return f"{payment.paid_on:%-d %B %Y}"

    @admin.display(description="how", ordering="method")
    def how(self, payment: Payment) -> str:
        return payment.get_method_display()

    @admin.display(description="recorded", ordering="recorded_at")
    def recorded(self, payment: Payment) -> SafeString | str:
        return moment(payment.recorded_at)


class OpenFilter(admin.SimpleListFilter):
    """Those that stand in the way now come first: the others are history."""

    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "still open"), ("no", "solved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(solved_at__isnull=self.value() == "yes")


class ProblemAdmin(RecordAdmin):
    """What could not be billed or reminded, and why, until a run finds that it can."""

    list_display = ("who", "state", "why", "of_job", "of_booking", "first_seen", "last_seen")
    list_display_links = ("who",)
    list_filter = (OpenFilter, "job")
    list_select_related = ("booking__customer", "booking__package")
    fields = (*list_display, "solved")
    readonly_fields = fields
    search_fields = ("booking__customer__name", "why")
    search_help_text = "A customer's name, or a word of the reason."
    ordering = ("-last_seen_at", "-pk")
    empty_sentence = "What cannot be billed shows here, with the reason. Nothing is in the way."

    @admin.display(description="customer", ordering="booking__customer__name")
    def who(self, problem: BillingProblem) -> str:
        return str(problem.booking.customer)

    @admin.display(description="state", ordering="solved_at")
    def state(self, problem: BillingProblem) -> SafeString:
        return badge("solved", "good") if problem.solved_at else badge("open", "bad")

    @admin.display(description="job", ordering="job")
    def of_job(self, problem: BillingProblem) -> str:
        return JOBS[problem.job].title if problem.job in JOBS else problem.job

    @admin.display(description="booking")
    def of_booking(self, problem: BillingProblem) -> SafeString:
        url = reverse("admin:bookings_booking_change", args=[problem.booking_id])
        return format_html('<a href="{}">{}</a>', url, problem.booking.title)

    @admin.display(description="first seen", ordering="first_seen_at")
    def first_seen(self, problem: BillingProblem) -> SafeString | str:
        return moment(problem.first_seen_at)

    @admin.display(description="last seen", ordering="last_seen_at")
    def last_seen(self, problem: BillingProblem) -> SafeString | str:
        return moment(problem.last_seen_at)

    @admin.display(description="solved")
    def solved(self, problem: BillingProblem) -> SafeString | str:
        return moment(problem.solved_at)
