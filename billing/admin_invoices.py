"""Invoices in the admin: what each asks for, how old it is, who was told, and its buttons."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin_buttons import CANCEL, PAY, age_in_words, line_of, state_of, why_not
from billing.admin_forms import PaymentForm, received
from billing.admin_issue import IssuingAdmin
from billing.admin_tables import tables_of
from billing.document import Document, document_of
from billing.finding import invoices_found
from billing.history import events_of
from billing.models import Invoice
from billing.resources import InvoiceResource
from billing.services import Refused, cancel_invoice, record_payment
from billing.views import pdf_response
from egac.console.actions import Line, Press, StaffAction
from egac.console.confirming import with_reason
from egac.console.export import ExportedAdmin
from egac.console.masking import require_sight, sees_addresses
from egac.console.pages import Event, Link, Table
from egac.console.records import badge, moment
from egac.console.search import SearchedAdmin
from egac.days import day_in_words
from egac.masking import private
from egac.money import in_words
from egac.staff import instant_of

MOST_NAMED = 5  # refusals in one message


class StateFilter(admin.SimpleListFilter):
    """By where they stand; overdue is no status of its own."""

    title = "status"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "overdue"), *((str(word), str(word)) for word in Invoice.Status)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "overdue":
            today = timezone.localdate()  # noqa: TID251  a page reads the clock
            return queryset.filter(status=Invoice.Status.PENDING, due_on__lt=today)
        return queryset.filter(status=self.value()) if self.value() else queryset


class InvoiceAdmin(SearchedAdmin, ExportedAdmin, IssuingAdmin):
    """Invoices: a list with status and age, and for each a page with all that belongs to it."""

    staff_actions = (PAY, CANCEL)
    resource_classes = [InvoiceResource]
    list_display = ("number", "who", "state", "age", "total_in_words", "left", "issued")
    list_filter = (StateFilter, "kind")
    search_help_text = (
        "The beginning of an invoice's number, the beginnings of a customer's name, or a whole "
        "address or number."
    )
    ordering = ("-pk",)
    empty_sentence = "Invoices show here: the jobs issue them, and staff can issue one by hand."

    def get_urls(self) -> list[URLPattern]:
        pages = (("page", self.page), ("pdf", self.pdf))
        own = [
            path(
                f"<int:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=self.url_name(name),
            )
            for name, view in pages
        ]
        return own + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("customer", "booking__package")

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return invoices_found(term)

    # The columns

    @admin.display(description="customer", ordering="customer__name")
    def who(self, invoice: Invoice) -> str:
        return str(invoice.customer)

    @admin.display(description="status", ordering="status")
    def state(self, row: Any) -> SafeString:
        return badge(*state_of(row, timezone.localdate()))  # noqa: TID251  a page reads the clock

    @admin.display(description="due", ordering="due_on")
    def age(self, invoice: Invoice) -> str:
        return age_in_words(invoice, timezone.localdate())  # noqa: TID251  a page reads the clock

    @admin.display(description="total", ordering="total")
    def total_in_words(self, invoice: Invoice) -> str:
        return in_words(invoice.total, invoice.currency)

    @admin.display(description="left to pay")
    def left(self, invoice: Invoice) -> str:
        is_open = invoice.status == Invoice.Status.PENDING
        return in_words(invoice.left_to_pay, invoice.currency) if is_open else "–"

    @admin.display(description="issued", ordering="issued_on")
    def issued(self, invoice: Invoice) -> str:
        return f"{invoice.issued_on:%-d %B %Y}"

    # The page

    def state_in_words(self, row: Any) -> str:
        if row.status != Invoice.Status.PENDING:
            return document_of(row, lines=()).standing
        return (
            f"{self.left(row)} is left to pay, until {day_in_words(row.due_on)}: {self.age(row)}."
        )

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        booking = reverse("admin:bookings_booking_change", args=[row.booking_id])
        customer = reverse("admin:bookings_customer_change", args=[row.customer_id])
        return [
            ("Customer", format_html('<a href="{}">{}</a>', customer, row.customer)),
            ("Billed to", private(", ".join(row.billed_to.splitlines()))),
            ("Booking", format_html('<a href="{}">{}</a>', booking, row.booking.title)),
            ("For", row.billed_for),
            ("Kind", row.get_kind_display()),
            ("Issued", day_in_words(row.issued_on)),
            ("Due", day_in_words(row.due_on)),
            ("Cancelled because", row.cancelled_because or "–"),
            ("Written", moment(row.created_at)),
        ]

    def tables(self, row: Any) -> list[Table]:
        return tables_of(row)

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        pages = (("As the customer sees it", "page"), ("PDF", "pdf"))
        if not sees_addresses(request):
            return []
        return [Link(label, self.url_of(name, row.pk)) for label, name in pages]

    def milestones(self, row: Any) -> Iterator[Event]:
        yield from events_of(row)

    def page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the invoice as its customer sees it, without a key."""
        document = self._document(request, object_id)
        pdf_link = self.url_of("pdf", object_id)
        context = {"invoice": document, "pdf_link": pdf_link}
        return render(request, "invoices/invoice.html", context)

    def pdf(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Answer with the invoice's PDF."""
        return pdf_response(self._document(request, object_id))

    def _document(self, request: HttpRequest, object_id: int) -> Document:
        invoice = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        require_sight(request)
        if invoice is None:
            raise Http404
        return document_of(invoice)

    # The buttons

    def why_not(self, action: StaffAction, row: Any) -> str:
        return why_not(action, row)

    def lines_of(self, action: StaffAction, rows: list[Any]) -> list[Line]:
        return [line_of(action, row) for row in rows]

    def version_of(self, row: Any) -> str:
        version: str = row.updated_at.isoformat()
        return version

    def form_of(self, action: StaffAction, keys: Sequence[Any], data: Any) -> PaymentForm | None:
        invoice = Invoice.objects.filter(pk__in=keys).first() if action is PAY else None
        if invoice is None:
            return None
        return PaymentForm(data, invoice=invoice, on=timezone.localdate())  # noqa: TID251  a page reads the clock

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        do = self.pay if press.action is PAY else self.cancel
        done, refused = [], []
        for invoice in self.get_queryset(request).filter(pk__in=press.seen):
            try:
                with transaction.atomic():
                    what = do(request, invoice, press)
                    self.log(request, [invoice], with_reason(what, press.reason))
                done.append(what)
            except Refused as refusal:
                refused.append(str(refusal))
        skipped = len(press.seen) - len(done)
        sentence = done[0] if press.action is PAY and done else f"{len(done)} {DID[press.action]}."
        if not skipped:
            return messages.SUCCESS, sentence
        return messages.WARNING, f"{sentence} Skipped: {skipped}. {' '.join(refused[:MOST_NAMED])}"

    def pay(self, request: HttpRequest, invoice: Invoice, press: Press) -> str:
        """Record what was typed; return what that came to."""
        payment = record_payment(
            invoice,
            received(press.typed, currency=invoice.currency),
            by=request.user.get_username(),
            seen=instant_of(press.seen[invoice.pk]),
        )
        invoice.refresh_from_db()
        left = in_words(invoice.left_to_pay, invoice.currency)
        rest = f"{left} is left to pay" if invoice.left_to_pay else "it is paid now"
        return f"1 recorded: {in_words(payment.amount, payment.currency)} for {invoice}, {rest}."

    def cancel(self, request: HttpRequest, invoice: Invoice, press: Press) -> str:
        """Cancel one invoice; return what was done."""
        seen = instant_of(press.seen[invoice.pk])
        cancel_invoice(invoice, why=press.reason, seen=seen)
        return f"{press.action.label}: 1 of {len(press.seen)}."


DID = {PAY: "recorded", CANCEL: "cancelled"}
