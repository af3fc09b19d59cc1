from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """Who was invited, and did the invite arrive."""

    name = "invites"

    def ready(self) -> None:
        from egac.admin_dashboard import register_panel
        from egac.metrics import register_rows
        from invites.admin_panels import PANEL
        from invites.models import Invite
        from invites.monitor import watch_invites
        from jobs.watchers import register_watcher

        register_panel(PANEL)
        register_watcher("invites", watch_invites)
        register_rows("invites", "email", Invite.objects.all)
