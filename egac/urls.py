"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import autodiscover_modules
from django.views.generic import RedirectView

from egac.health import healthz, readyz
from egac.metrics import metrics
from egac.webhooks import from_resend
from egac.webhooks_whatsapp import from_whatsapp

handler400 = "egac.console.errors.impossible"
handler403 = "egac.console.errors.refused"
handler404 = "egac.console.errors.missing"
handler500 = "egac.console.errors.broken"

autodiscover_modules("admin", "admin_panels", register_to=admin.site)
urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("webhooks/resend", from_resend),
    path("webhooks/whatsapp", from_whatsapp),
    path("", include("jobs.urls")),
    path("", include("invites.urls")),
    path("", include("billing.urls")),
]
