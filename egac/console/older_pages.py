"""What is answered to a page that is older than the sign-in from which it is posted."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page_is_older(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that nothing was done, and how to go on.

    Each sign-in brings a new token against forged forms, so a page that was left open fails it.
    """
    context: dict[str, Any] = {"title": "Nothing was done"}
    if request.user.is_authenticated:
        context |= admin.site.each_context(request)
    return render(request, "admin/older_page.html", context, status=403)
