from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.db.models.signals import post_migrate


class EgacConfig(AppConfig):
    """The ground that every app stands on."""

    name = "egac"
    verbose_name = "Delivery"

    def ready(self) -> None:
        import egac.checks  # noqa: F401  registers the system checks
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.console.suppressed import suppressions_of
        from egac.groups import make_groups
        from egac.people import Part, register_part

        failures = "admin:egac_failure_changelist"
        register_shortcut(Shortcut("Failures", failures, "egac.view_failure", 10))
        people = "admin:egac_person_changelist"
        register_shortcut(Shortcut("People", people, "egac.view_person", 40))
        register_part(Part("suppressions", "egac.view_suppression", suppressions_of))
        actions = "admin:egac_loggedaction_changelist"
        register_shortcut(Shortcut("Staff actions", actions, "egac.list_loggedaction", 80))
        post_migrate.connect(make_groups, dispatch_uid="egac.groups")


class OpsAdminConfig(SimpleAdminConfig):
    """Django's admin, with our site in the place of the stock one.

    Its pages are found by egac/urls.py: a job, started every few minutes, does without them.
    """

    default_site = "egac.console.site.OpsSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Check the pages of the admin as Django does, once they are found."""
    import_module(settings.ROOT_URLCONF)
    return check_admin_app(app_configs, **kwargs)
