from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What runs when, and what came of it."""

    name = "jobs"
