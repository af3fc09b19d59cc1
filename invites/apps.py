from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """Who was invited, and did the invite arrive."""

    name = "invites"
