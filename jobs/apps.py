from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What runs when, and what came of it."""

    name = "jobs"

    def ready(self) -> None:
        from egac.metrics import register_source
        from jobs.metrics import job_figures

        register_source(job_figures)
