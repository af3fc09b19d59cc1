from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What runs when, and what came of it."""

    name = "jobs"

    def ready(self) -> None:
        from jobs import checks  # noqa: F401  registers the system checks
