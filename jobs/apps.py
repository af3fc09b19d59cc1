from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What runs when, and what came of it."""

    name = "jobs"
    verbose_name = "Jobs and alerts"

    def ready(self) -> None:
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.metrics import register_source
        from jobs import checks  # noqa: F401  registers the system checks
        from jobs.metrics import job_figures

        jobs = "admin:jobs_scheduledjob_changelist"
        register_shortcut(Shortcut("Jobs", jobs, "jobs.view_scheduledjob", 70))
        register_source(job_figures)
