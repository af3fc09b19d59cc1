from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages queued by the other apps, and their worker."""

    name = "notifications"

    def ready(self) -> None:
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.health import register_requirement
        from egac.metrics import register_rows
        from egac.people import Part, register_part, register_people
        from jobs.fixes import register_fixes
        from jobs.history import register_history
        from jobs.lateness import register_steady_worker
        from jobs.sinks import register_sink
        from jobs.watchers import register_watcher
        from notifications import relevance
        from notifications.alerts import (
            FIXES,
            IS_OPEN,
            STAFF,
            open_alerts,
            watch_notifications,
            why_over,
        )
        from notifications.heartbeat import last_loop_seen_at
        from notifications.history import KINDS
        from notifications.models import Notification
        from notifications.person import Recipients, messages_of
        from notifications.staff import why_no_worker

        register_history(*KINDS)
        register_steady_worker("run_worker_queue", last_loop_seen_at)
        register_requirement("worker", why_no_worker)
        register_watcher("notifications", watch_notifications)
        register_fixes(FIXES)
        register_sink(STAFF)
        relevance.register(IS_OPEN, why_over, look_up=open_alerts)
        register_people("notification", Recipients())
        register_part(Part("messages", Recipients.permission, messages_of))
        messages, look = "admin:notifications_notification_changelist", "view_notification"
        register_shortcut(Shortcut("Queued messages", messages, f"notifications.{look}", 30))
        queue = Notification.objects
        register_rows("notifications_queue", "email", queue.for_email)
        register_rows("notifications_queue", "whatsapp", queue.for_whatsapp)
