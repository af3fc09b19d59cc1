from django.urls import path

from invites import views

urlpatterns = [
    path("api/admin/invite-stats.json", views.invite_stats_json),
    path("api/admin/retry-invites.json", views.retry_invites_json),
]
