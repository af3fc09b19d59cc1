from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class EgacConfig(AppConfig):
    """The ground that every app stands on."""

    name = "egac"

    def ready(self) -> None:
        from egac import checks  # noqa: F401  registers the system checks


class OpsAdminConfig(AdminConfig):
    """Django's admin, with our site in the place of the stock one."""

    default_site = "egac.admin.OpsSite"
