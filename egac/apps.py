from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class EgacConfig(AppConfig):
    """The ground that every app stands on."""

    name = "egac"
    verbose_name = "Delivery"

    def ready(self) -> None:
        from egac import checks  # noqa: F401  registers the system checks
        from egac.console.dashboard import register_panel
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.console.panels import PANELS
        from egac.groups import make_groups

        for panel in PANELS:
            register_panel(panel)
        failures = "admin:egac_failure_changelist"
        register_shortcut(Shortcut("Failures", failures, "egac.view_failure", 10))
        people = "admin:egac_person_changelist"
        register_shortcut(Shortcut("People", people, "egac.view_person", 40))
        post_migrate.connect(make_groups, dispatch_uid="egac.groups")


class OpsAdminConfig(AdminConfig):
    """Django's admin, with our site in the place of the stock one."""

    default_site = "egac.console.site.OpsSite"
