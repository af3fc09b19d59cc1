from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages queued by the other apps, and their worker."""

    name = "notifications"

    def ready(self) -> None:
        from jobs.history import register_history
        from jobs.lateness import register_steady_worker
        from notifications.heartbeat import last_loop_seen_at
        from notifications.history import KINDS

        register_history(*KINDS)
        register_steady_worker("run_worker_queue", last_loop_seen_at)
