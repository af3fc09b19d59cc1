"""An invoice that staff write: a form, then the invoice as it would be, then the invoice."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from billing.admin_buttons import NOBODY_IS_TOLD
from billing.admin_forms import IssueForm, LineForms
from billing.document import document_of
from billing.drafts import Draft, NewInvoice
from billing.models import Invoice, InvoiceLine
from billing.reach import channels_to
from billing.services import Refused, draft_invoice, issue_invoice_once
from egac.console.pages import PageAdmin
from egac.money import in_words

NO_NUMBER_YET = "number to come"
NO_LINE = "Write at least 1 line: what it is for, and its price."
# What leads from page to page, and is no part of the invoice.
STEPS = ("csrfmiddlewaretoken", "confirmed", "change")


class IssuingAdmin(PageAdmin):
    """The two pages before a new invoice; nothing is written until the second is confirmed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("billing.add_invoice"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the form, the invoice that it would be, or issue that."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, lines = self._forms(request)
        if request.method != "POST" or "change" in request.POST:
            return self._page(request, form=form, lines=lines)
        if not (form.is_valid() and lines.is_valid()):
            return self._page(request, form=form, lines=lines)
        asked = {
            "booking": form.cleaned_data["booking"],
            "written": [each.written() for each in lines if each.has_changed()],
            "on": form.on,
            "due_on": form.cleaned_data["due_on"],
        }
        try:
            if "confirmed" not in request.POST:
                return self._preview(request, draft_invoice(**asked))
            return self._issued(request, issue_invoice_once(**asked))
        except Refused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, form=form, lines=lines)

    def _forms(self, request: HttpRequest) -> tuple[IssueForm, Any]:
        posted = request.POST if request.method == "POST" else None
        on = timezone.localdate()  # noqa: TID251  a page reads the clock
        lines = LineForms(posted, error_messages={"too_few_forms": NO_LINE})
        return IssueForm(posted, initial=request.GET.dict(), on=on), lines

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Issue an invoice",
            "list_url": self.url_of("changelist"),
            **context,
        }
        return TemplateResponse(request, "admin/billing/issue.html", whole)

    def _preview(self, request: HttpRequest, draft: Draft) -> HttpResponse:
        invoice = NewInvoice(draft.booking, draft.bill, NO_NUMBER_YET)
        lines = [InvoiceLine(**each) for each in draft.bill.columns_of_lines]
        channels = channels_to(draft.booking.customer)
        typed = request.POST.lists()
        return self._page(
            request,
            document=document_of(Invoice(**invoice.columns), lines=lines),
            told=f"The customer is told by {' and '.join(channels)}." if channels else "",
            warning="" if channels else NOBODY_IS_TOLD,
            typed=[(name, each) for name, all in typed if name not in STEPS for each in all],
        )

    def _issued(self, request: HttpRequest, invoice: Invoice) -> HttpResponse:
        asked = in_words(invoice.total, invoice.currency)
        self.log_addition(request, invoice, f"Issued over {asked}.")
        messages.success(request, f"Invoice {invoice.number} over {asked} was issued.")
        return HttpResponseRedirect(self.url_of("change", invoice.pk))
