from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """Who was invited, and did the invite arrive."""

    name = "invites"

    def ready(self) -> None:
        from invites.monitor import watch_invites
        from jobs.watchers import register_watcher

        register_watcher("invites", watch_invites)
