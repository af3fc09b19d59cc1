"""An invoice as its customer opens it: the signed link is the only key, and opens only this one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.signing import BadSignature, SignatureExpired
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.document import Document, document_of
from billing.links import number_signed_by
from billing.models import Invoice
from billing.pdf import pdf_of

# Nothing but our own style sheet and icon; the address, which is the key, goes nowhere.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


class Closed(Exception):
    """A link that opens nothing; the message says what to do."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def for_key_holders(view: Callable[[HttpRequest, Document], HttpResponse]) -> Callable[..., Any]:
    """Call the view with the document that the link's key opens, or show why it opens none."""

    @wraps(view)
    def guarded(request: HttpRequest, number: str) -> HttpResponse:
        try:
            document = document_of(opened_by(request.GET.get("key", ""), number=number))
        except Closed as error:
            response = render(
                request, "invoices/closed.html", {"why": str(error)}, status=error.status
            )
        else:
            response = view(request, document)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return require_safe(guarded)


def opened_by(key: str, *, number: str) -> Invoice:
    """Return the invoice of this number where the key opens it; raise Closed."""
    try:
        is_this_one = number_signed_by(key) == number
    except SignatureExpired as error:
        raise Closed("This link has expired.", status=410) from error
    except BadSignature as error:
        raise Closed("This link is not complete, or it was changed.", status=403) from error
    if not is_this_one:
        raise Closed("This link belongs to another invoice.", status=403)
    invoice = Invoice.objects.filter(number=number).prefetch_related("lines").first()
    if invoice is None:
        raise Closed("This invoice is no longer here.", status=410)
    return invoice


@for_key_holders
def invoice_page(request: HttpRequest, document: Document) -> HttpResponse:
    """Show the invoice as a page."""
    pdf_link = f"{document.number}.pdf?{request.GET.urlencode()}"
    return render(request, "invoices/invoice.html", {"invoice": document, "pdf_link": pdf_link})


@for_key_holders
def invoice_pdf(request: HttpRequest, document: Document) -> HttpResponse:
    """Answer with the invoice as a PDF to be saved."""
    return pdf_response(document)


def pdf_response(document: Document) -> HttpResponse:
    """Return the PDF under the invoice's number."""
    name = f'attachment; filename="{document.number}.pdf"'
    return HttpResponse(
        pdf_of(document),
        content_type="application/pdf",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )
