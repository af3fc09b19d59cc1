from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages queued by the other apps, and their worker."""

    name = "notifications"
