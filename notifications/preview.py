"""Every type of message as it would arrive, with sample data: two views for the admin to link.

The list frames each e-mail from the address `<type>/` below its own.
"""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from egac.console.preview import EMAIL_POLICY
from egac.mail import compose
from notifications.catalogue import TYPES, sample_context, whatsapp_payload

EMAIL_ADDRESS, NUMBER = "amelia.hart@families.example", "+447700900123"


def preview_list(request: HttpRequest) -> HttpResponse:
    """Show every type; the caller lets only staff in."""
    context = {
        **admin.site.each_context(request),
        "title": "Messages with sample data",
        "previews": [_preview(type) for type in TYPES],
    }
    return render(request, "admin/notifications/previews.html", context)


def preview_html(request: HttpRequest, type: str) -> HttpResponse:
    """Answer with the e-mail's own page for a sandboxed frame; the caller lets only staff in."""
    if type not in TYPES:
        raise Http404
    response = HttpResponse(_email(type)["html"])
    response["Content-Security-Policy"] = EMAIL_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _preview(type: str) -> dict[str, Any]:
    about = TYPES[type]
    whatsapp = None
    if about.whatsapp:
        whatsapp = whatsapp_payload(type, to=NUMBER, context=sample_context(type))
    return {"type": type, "about": about, "email": _email(type), "whatsapp": whatsapp}


def _email(type: str) -> dict[str, Any]:
    return compose(type, to=EMAIL_ADDRESS, context=sample_context(type), tag="preview")
