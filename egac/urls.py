"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from egac.webhooks import from_resend
from egac.webhooks_whatsapp import from_whatsapp

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("webhooks/resend", from_resend),
    path("webhooks/whatsapp", from_whatsapp),
    path("", include("invites.urls")),
    path("", include("billing.urls")),
]
